"""The licence gate: nothing unwanted at run time, and THIRD_PARTY_NOTICES is what it would be now."""

import importlib.metadata
import importlib.util
import json
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parent.parent


def load_notices() -> ModuleType:
    """scripts/ is no package: load the program by its place."""
    spec = importlib.util.spec_from_file_location("vedette_notices", ROOT / "scripts" / "notices.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


notices = load_notices()


def locked_versions() -> dict[str, str]:
    """Name -> version in requirements/run.txt."""
    text = (ROOT / "requirements" / "run.txt").read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9.-]+)==(\S+)", text, re.MULTILINE))


def table() -> list[str]:
    """The lines of THIRD_PARTY_NOTICES that stand for one package each."""
    text = (ROOT / "THIRD_PARTY_NOTICES").read_text(encoding="utf-8")
    head = text.partition("-" * 80)[0]
    return [line for line in head.splitlines() if line.startswith(("python ", "page "))]


@pytest.mark.parametrize(
    "expression",
    [
        "MIT",
        "MIT OR GPL-3.0-only",
        "(MIT OR Apache-2.0)",
        "BSD-2-Clause AND Apache-2.0 WITH LLVM-exception",
        "MIT AND (GPL-2.0-only OR ISC)",
    ],
)
def test_acceptable_expressions(expression: str) -> None:
    assert notices.acceptable(expression)


@pytest.mark.parametrize(
    "expression",
    [
        "GPL-3.0-only",
        "GPL-3.0-or-later WITH GCC-exception-3.1",
        "AGPL-3.0-or-later",
        "SSPL-1.0",
        "LGPL-2.1-only",
        "unknown",
        "",
        "UNLICENSED",
        "MIT AND GPL-3.0-only",
        "MIT OR",
        "(MIT",
        "MIT)",
        "MIT GPL-3.0-only",
        "MIT OR GPL-3.0-only AND",
        "SEE LICENSE IN LICENSE.md",
    ],
)
def test_refused_expressions(expression: str) -> None:
    assert not notices.acceptable(expression)


@given(st.text(alphabet=st.sampled_from(list("()MITGPLORANDWH -3.0")), max_size=60))
def test_no_expression_breaks_the_gate(expression: str) -> None:
    assert notices.acceptable(expression) in (True, False)


@given(st.lists(st.sampled_from(sorted(notices.ALLOWED)), min_size=1, max_size=5))
def test_one_refused_member_spoils_an_and_and_no_or(names: list[str]) -> None:
    assert notices.acceptable(" OR ".join([*names, "GPL-3.0-only"]))
    assert not notices.acceptable(" AND ".join([*names, "GPL-3.0-only"]))


def installed(folder: Path, *fields: str) -> importlib.metadata.Distribution:
    """A distribution on disk with these metadata fields."""
    info = folder / "thing-1.0.dist-info"
    info.mkdir(parents=True)
    lines = ["Metadata-Version: 2.4", "Name: thing", "Version: 1.0", *fields, "", ""]
    (info / "METADATA").write_text("\n".join(lines), encoding="utf-8")
    return importlib.metadata.PathDistribution(info)


@pytest.mark.parametrize(
    ("fields", "licence", "good"),
    [
        (["License-Expression: MIT"], "MIT", True),
        (["License: MIT License", "Classifier: License :: OSI Approved :: MIT License"], "MIT", True),
        (["Classifier: License :: OSI Approved :: ISC License (ISCL)"], "ISC", True),
        (
            ["License: MIT", "Classifier: License :: OSI Approved :: GNU General Public License v3 (GPLv3)"],
            "GNU General Public License v3 (GPLv3) AND MIT",
            False,
        ),
        (["License: GPL-2.0"], "GPL-2.0", False),
        ([], "unknown", False),
    ],
)
def test_declared_licence_of_real_metadata(
    tmp_path: Path, fields: list[str], licence: str, good: bool
) -> None:
    metadata = installed(tmp_path, *fields).metadata
    assert notices.declared_licence(metadata) == licence
    assert notices.acceptable(licence) is good


@pytest.mark.parametrize(
    ("texts", "licence"),
    [
        ((("LICENSE", "The MIT License\n\nCopyright ..."),), "MIT"),
        ((("LICENSE", "\n  The MIT License (MIT)  \nPermission ..."),), "MIT"),
        ((("LICENSE", "GNU GENERAL PUBLIC LICENSE\n..."),), "unknown"),
        ((("LICENSE", "The MIT License, but\n..."),), "unknown"),
        ((("LICENSE", "The MIT License\n"), ("COPYING", "GNU GENERAL PUBLIC LICENSE\n")), "unknown"),
        ((), "unknown"),
    ],
)
def test_a_licence_that_no_metadata_declares_is_told_by_its_title(
    texts: tuple[tuple[str, str], ...], licence: str
) -> None:
    assert notices.titled_licence(texts) == licence


def test_page_packages_leave_out_development_only_and_keep_what_is_baked_in(tmp_path: Path) -> None:
    packages = {
        "": {"name": "page"},
        "node_modules/lit": {"version": "1.0.0", "license": "BSD-3-Clause"},
        "node_modules/esbuild": {"version": "2.0.0", "license": "MIT", "dev": True},
        "node_modules/world-atlas": {"version": "3.0.0", "license": "ISC", "dev": True},
        "node_modules/a/node_modules/@b/c": {"version": "4.0.0"},
    }
    (tmp_path / "package-lock.json").write_text(json.dumps({"packages": packages}), encoding="utf-8")
    found = {p.name: p.licence for p in notices.page_packages(tmp_path)}
    assert found == {"lit": "BSD-3-Clause", "world-atlas": "ISC", "@b/c": "unknown"}
    assert [line.split(":")[0] for line in notices.refused(list(notices.page_packages(tmp_path)))] == [
        "page package @b/c 4.0.0"
    ]


def test_everything_at_run_time_has_an_accepted_licence() -> None:
    packages = [*notices.python_packages(), *notices.page_packages()]
    assert len(packages) > 20
    assert notices.refused(packages) == []


def test_notices_name_the_locked_versions_of_all_python_packages() -> None:
    locked = locked_versions()
    listed = dict(re.findall(r"^python +(\S+) (\S+): ", "\n".join(table()), re.MULTILINE))
    needed = {package.name for package in notices.python_packages()}
    assert needed - set(listed) == set(), "run `make notices`"
    assert {name: locked.get(name) for name in listed} == listed, "run `make notices`"


def test_notices_name_exactly_what_the_page_carries() -> None:
    listed = [line for line in table() if line.startswith("page ")]
    assert listed == [notices.summary_line(package) for package in notices.page_packages()], (
        "run `make notices`"
    )


def test_each_text_stands_once_under_the_names_that_use_it() -> None:
    one = notices.Package("python", "a", "1", "MIT", (("LICENSE", "same text \n"),))
    two = notices.Package("page", "b", "2", "MIT", (("LICENSE", "same text\n"),))
    text = notices.render([one, two])
    assert text.count("same text") == 1
    assert "a 1 (LICENSE)\nb 2 (LICENSE)\n\nsame text\n" in text
