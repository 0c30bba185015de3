"""Write THIRD_PARTY_NOTICES: every package that the wheel needs at run time and that the page carries.

    .venv/bin/python scripts/notices.py

Python packages are found by walking the installed metadata from `vedette` on, without extras. Packages
of the page are those of `web/package-lock.json` that are not for development, and the data sets that
the build bakes in. A licence that is not on the list below stops the program: exit 1, nothing written.
"""

import importlib.metadata
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
NOTICES = ROOT / "THIRD_PARTY_NOTICES"

ALLOWED = frozenset(
    {
        "0BSD",
        "Apache-2.0",
        "Apache-2.0 WITH LLVM-exception",
        "BSD",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "CC0-1.0",
        "ISC",
        "MIT",
        "MIT-0",
        "MPL-2.0",
        "PSF-2.0",
        "Unlicense",
        "Zlib",
    }
)
"""SPDX identifiers that may run with an Apache-2.0 program. MPL-2.0 binds file by file only."""

PLAIN_NAMES = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache License": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD",
    "New BSD": "BSD-3-Clause",
    "ISC License": "ISC",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "The MIT License": "MIT",
    "The MIT License (MIT)": "MIT",
}
"""What older metadata says in words, and titles of licence texts -> SPDX."""

BAKED_IN = ("world-atlas",)
"""Development packages whose data the page's build copies into the page."""

LICENCE_FILE = re.compile(r"(licen[cs]e|copying|notice|authors)", re.IGNORECASE)


class Package(NamedTuple):
    """One third party: its declared licence as an SPDX expression, and its licence texts."""

    kind: str
    name: str
    version: str
    licence: str
    texts: tuple[tuple[str, str], ...]


def acceptable(expression: str) -> bool:
    """True if the SPDX expression can be met with allowed licences alone.

    Covers `OR`, `AND`, `WITH` and brackets (SPDX 3.0, annex B). What cannot be read is refused.
    """
    tokens = re.findall(r"[()]|[^\s()]+", expression)
    try:
        verdict = _either(tokens)
    except IndexError:
        return False
    return verdict and not tokens


def _either(tokens: list[str]) -> bool:
    verdict = _both(tokens)
    while tokens and tokens[0] == "OR":
        tokens.pop(0)
        verdict = _both(tokens) or verdict
    return verdict


def _both(tokens: list[str]) -> bool:
    verdict = _term(tokens)
    while tokens and tokens[0] == "AND":
        tokens.pop(0)
        verdict = _term(tokens) and verdict
    return verdict


def _term(tokens: list[str]) -> bool:
    first = tokens.pop(0)
    if first == "(":
        verdict = _either(tokens)
        return tokens.pop(0) == ")" and verdict
    if tokens and tokens[0] == "WITH":
        first = f"{first} {tokens.pop(0)} {tokens.pop(0)}"
    return first in ALLOWED


def declared_licence(metadata: Any) -> str:
    """SPDX expression of a distribution's metadata.

    Without `License-Expression` (PEP 639) every licence that the older fields name must be acceptable,
    so they are joined by AND; "unknown" if they name none.
    """
    expression = metadata.get("License-Expression")
    if expression:
        return str(expression)
    words = [c.rpartition(" :: ")[2] for c in metadata.get_all("Classifier") or () if c.startswith("License")]
    free = (metadata.get("License") or "").strip().splitlines()
    words += free[:1]
    named = dict.fromkeys(PLAIN_NAMES.get(word.strip(), word.strip()) for word in words)
    return " AND ".join(f"({name})" if " OR " in name else name for name in named) or "unknown"


def titled_licence(texts: tuple[tuple[str, str], ...]) -> str:
    """SPDX identifier by the title of the licence text, where the metadata declares none and there is one
    text alone; "unknown" for a title that is not known word for word."""
    if len(texts) != 1:
        return "unknown"
    title = texts[0][1].strip().partition("\n")[0].strip()
    return PLAIN_NAMES.get(title, "unknown")


def python_packages(root: str = "vedette") -> Iterator[Package]:
    """The installed run-time dependencies of ``root``, itself left out, by name."""
    waiting, seen = [root], {canonicalize_name(root)}
    found = []
    while waiting:
        distribution = importlib.metadata.distribution(waiting.pop())
        for line in distribution.requires or ():
            requirement = Requirement(line)
            name = canonicalize_name(requirement.name)
            wanted = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
            if wanted and name not in seen:
                seen.add(name)
                waiting.append(name)
                found.append(_installed(name))
    yield from sorted(found)


def _installed(name: str) -> Package:
    distribution = importlib.metadata.distribution(name)
    texts = tuple(
        (file.name, Path(str(distribution.locate_file(file))).read_text(encoding="utf-8", errors="replace"))
        for file in distribution.files or ()
        if ".dist-info" in file.parts[0] and LICENCE_FILE.search(file.name)
    )
    licence = declared_licence(distribution.metadata)
    if licence == "unknown":
        licence = titled_licence(texts)
    return Package("python", name, distribution.version, licence, texts)


def page_packages(web: Path = ROOT / "web") -> Iterator[Package]:
    """What the page carries: name, version and licence from the lock file, texts from node_modules."""
    lock = json.loads((web / "package-lock.json").read_text(encoding="utf-8"))
    for place, entry in sorted(lock["packages"].items()):
        name = place.rpartition("node_modules/")[2]
        if name and (name in BAKED_IN or not entry.get("dev")):
            licence = entry.get("license") or "unknown"
            yield Package("page", name, entry["version"], licence, _page_texts(web / place))


def _page_texts(folder: Path) -> tuple[tuple[str, str], ...]:
    if not folder.is_dir():
        return ()
    files = sorted(f for f in folder.iterdir() if f.is_file() and LICENCE_FILE.match(f.name))
    return tuple((f.name, f.read_text(encoding="utf-8", errors="replace")) for f in files)


def refused(packages: list[Package]) -> list[str]:
    """One sentence for each package whose licence may not be there at run time."""
    return [
        f"{p.kind} package {p.name} {p.version}: licence {p.licence!r} is not among those allowed"
        for p in packages
        if not acceptable(p.licence)
    ]


def summary_line(package: Package) -> str:
    """The line that stands for a package in the table; the tests compare these."""
    return f"{package.kind:7} {package.name} {package.version}: {package.licence}"


def render(packages: list[Package]) -> str:
    """The whole file: the table first, then the texts, each distinct text once."""
    lines = [
        "THIRD PARTY NOTICES",
        "",
        "Vedette itself is under the Apache License 2.0 (LICENSE). At run time it uses the packages below.",
        "This file is written by `make notices`; do not edit it.",
        "",
        *map(summary_line, packages),
    ]
    users: dict[str, list[str]] = {}
    for package in packages:
        for name, text in package.texts:
            users.setdefault(_tidy(text), []).append(f"{package.name} {package.version} ({name})")
    for text, names in users.items():
        lines += ["", "-" * 80, *names, "", text]
    return "\n".join(lines) + "\n"


def _tidy(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def main() -> int:
    """Write the file, or say which licence stands in the way."""
    packages = [*python_packages(), *page_packages()]
    problems = refused(packages)
    if problems:
        print(*problems, sep="\n", file=sys.stderr)
        return 1
    NOTICES.write_text(render(packages), encoding="utf-8")
    print(f"{NOTICES.name}: {len(packages)} packages", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
