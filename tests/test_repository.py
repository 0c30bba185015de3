"""The repository a stranger picks up: nothing of this machine in it, and its own word kept."""

import ast
import contextlib
import datetime
import json
import re
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

ROOT = Path(__file__).resolve().parent.parent
THIS = "tests/test_repository.py"
GUIDES = [
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "CHANGELOG.md",
    *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")),
]

MODULE_LINES = 500
FUNCTION_LINES = 60
MEDIAN_FUNCTION_LINES = 10
UNDOCUMENTED_LINES = 8
"""A public function longer than this says in a docstring what it promises."""

UNFINISHED = re.compile(
    r"\b(TODO|FIXME|XXX|HACK|NotImplementedError|placeholder|stub|for now|simplified|dummy)\b"
)
INDEX_ADDRESS = re.compile(
    r"pypi\.org/simple|pythonhosted|registry\.npmjs|https?://[^/\s]*(artifactory|nexus)"
    r"|--(extra-)?index-url[ =]+\S*:|--find-links[ =]+\S*/|registry *= *.?http"
)
REQUIRED = [
    ".ci/run",
    ".editorconfig",
    ".gitattributes",
    ".gitignore",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "Makefile",
    "NOTICE",
    "README.md",
    "SECURITY.md",
    "THIRD_PARTY_NOTICES",
    "docs/architecture.md",
    "docs/install.md",
    "docs/legal.md",
    "docs/record.md",
    "docs/scenarios.md",
    "examples/forward_udp.py",
    "examples/one-machine.toml",
    "examples/vedette.toml",
    "pyproject.toml",
    "requirements/run.txt",
    "requirements/test.txt",
    "requirements/page.txt",
    "src/vedette/py.typed",
    "web/package-lock.json",
]
FOLDERS = "docs|src|tests|scripts|examples|requirements|web"
FILE_NAME = re.compile(rf"`((?:{FOLDERS})/[\w./-]+|[A-Z_]+\.md)`")
LINK = re.compile(r"\]\(((?!https?:)[^)#]+)\)")
MADE_LATER = {"src/vedette/console/static/"}


@cache
def ours() -> tuple[str, ...]:
    """Names of all files that belong to the repository: what git tracks or would track."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("not a git clone: nothing says which files belong to the repository")
    command = [git, "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout.split("\0")
    return tuple(sorted(name for name in set(names) if name and (ROOT / name).is_file()))


def texts(*, without: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """(name, text) of our files that are text; what is not UTF-8 is a picture, a capture or a seed."""
    for name in ours():
        if name not in without:
            with contextlib.suppress(UnicodeDecodeError):
                yield name, (ROOT / name).read_text(encoding="utf-8")


def hits(pattern: re.Pattern[str], files: Iterator[tuple[str, str]]) -> list[str]:
    """``file:line text`` for each line that matches."""
    return [
        f"{name}:{number} {line.strip()[:100]}"
        for name, text in files
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def machine_places() -> list[str]:
    """Folders of the machine this runs on that no file may name."""
    shared = {Path("/"), Path("/tmp"), Path("/home"), Path("/opt"), Path("/srv")}
    places = [folder for folder in (ROOT, ROOT.parent, Path.home()) if folder not in shared]
    return [f"{place}/" for place in places]


def code(text: str) -> str:
    """What a guide shows as code: spans in backticks, and indented or fenced lines."""
    spans = re.findall(r"`([^`\n]+)`", text)
    blocks = re.findall(r"^(?: {4,}|\t)(.*)$", text, re.MULTILINE)
    fences = re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return "\n".join([*spans, *blocks, *fences])


def guides() -> list[tuple[str, str]]:
    """(name, text) of the guides."""
    return [(name, (ROOT / name).read_text(encoding="utf-8")) for name in GUIDES]


@cache
def commands() -> dict[str, Any]:
    """Verb -> command of the real `vedette` program."""
    from vedette.cli.main import app

    group = typer.main.get_command(app)
    return dict(getattr(group, "commands"))  # noqa: B009


def called(verb: str, rest: str) -> Any:
    """The command that ``vedette VERB REST`` runs: where VERB is a group, the one that REST begins with."""
    inner = getattr(commands()[verb], "commands", {})
    return inner.get((rest.split() or [""])[0], commands()[verb])


def options(command: Any) -> set[str]:
    """The options a command takes."""
    return {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}


def promised_calls(text: str) -> list[tuple[str, str]]:
    """(verb, rest) of each `vedette VERB ...` that a text shows as code."""
    return re.findall(r"(?:^|[/\s])vedette ([a-z][a-z-]*)\b([^\n#|]*)", code(text), re.MULTILINE)


def functions(tree: ast.AST) -> Iterator[tuple[ast.FunctionDef | ast.AsyncFunctionDef, int]]:
    """(function, its length in lines), decorators left out."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node, (node.end_lineno or node.lineno) - node.lineno + 1


def public(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Public functions of a module and public methods of its public classes; not what is nested in them."""
    for node in ast.iter_child_nodes(tree):
        if not getattr(node, "name", "_").startswith("_"):
            if isinstance(node, ast.ClassDef):
                yield from public(node)
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node


def modules() -> list[tuple[str, str, ast.AST]]:
    """(name, text, tree) of each module of the package."""
    names = [name for name in ours() if name.startswith("src/vedette/") and name.endswith(".py")]
    files = [(name, (ROOT / name).read_text(encoding="utf-8")) for name in names]
    return [(name, text, ast.parse(text)) for name, text in files]


def project() -> dict[str, object]:
    """The [project] table of pyproject.toml."""
    table: dict[str, object] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return table


def requirement_lines(name: str) -> list[str]:
    """The requirements of one requirements/*.in, without comments and options."""
    lines = (ROOT / "requirements" / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith(("#", "-"))]


@pytest.mark.parametrize("name", REQUIRED)
def test_required_file_is_there(name: str) -> None:
    assert (ROOT / name).is_file()
    assert (ROOT / name).stat().st_size or name.endswith("py.typed")


def test_no_file_names_a_place_of_this_machine() -> None:
    pattern = re.compile("|".join(re.escape(place) for place in machine_places()))
    assert hits(pattern, texts(without=(THIS,))) == []


def test_no_file_names_a_package_index() -> None:
    assert hits(INDEX_ADDRESS, texts(without=(THIS, "THIRD_PARTY_NOTICES"))) == []


def test_nothing_is_marked_unfinished() -> None:
    files = ((n, t) for n, t in texts(without=(THIS, "THIRD_PARTY_NOTICES", "web/package-lock.json")))
    assert hits(UNFINISHED, files) == []


def test_the_page_lock_holds_hashes_and_no_addresses() -> None:
    packages = json.loads((ROOT / "web" / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    others = {place: entry for place, entry in packages.items() if place}
    assert len(others) > 5
    assert [place for place, entry in others.items() if "resolved" in entry] == []
    assert [place for place, entry in others.items() if not entry.get("integrity")] == []


@pytest.mark.parametrize("name", ["run.txt", "test.txt", "page.txt", "lock.txt"])
def test_locked_requirements_are_pinned_hashed_and_free_of_options(name: str) -> None:
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    logical = re.sub(r"\\\n", " ", text).splitlines()
    rows = [row for row in logical if row.strip() and not row.strip().startswith("#")]
    assert rows
    whole = re.compile(r"^[a-z0-9.-]+==[\w.!+]+( ;[^-]*)?(\s+--hash=sha256:[0-9a-f]{64})+\s*$")
    assert [row for row in rows if not whole.match(row)] == []


def test_requirements_say_what_pyproject_says() -> None:
    table = project()
    build = "setuptools"
    run = [line for line in requirement_lines("run.in") if not line.startswith(build)]
    assert run == table["dependencies"]
    extra = table["optional-dependencies"]
    assert isinstance(extra, dict)
    tests = [line for line in requirement_lines("test.in") if not line.startswith("async-timeout")]
    assert tests == extra["test"]


def test_modules_are_small() -> None:
    long = [f"{name} ({text.count(chr(10))} lines)" for name, text, _ in modules()]
    assert [row for row in long if int(row.split("(")[1].split()[0]) > MODULE_LINES] == []


def test_functions_are_small() -> None:
    lengths = [
        (f"{name}:{node.lineno} {node.name}", n) for name, _, tree in modules() for node, n in functions(tree)
    ]
    assert [f"{place} ({n} lines)" for place, n in lengths if n > FUNCTION_LINES] == []
    assert statistics.median(n for _, n in lengths) <= MEDIAN_FUNCTION_LINES


def test_public_functions_of_some_length_are_documented() -> None:
    bare = [
        f"{name}:{node.lineno} {node.name}"
        for name, _, tree in modules()
        for node in public(tree)
        if (node.end_lineno or 0) - node.lineno >= UNDOCUMENTED_LINES and not ast.get_docstring(node)
    ]
    assert bare == []


def test_modules_say_what_they_are() -> None:
    assert [name for name, text, tree in modules() if text and not ast.get_docstring(tree)] == []  # type: ignore[arg-type]


def test_every_make_target_in_the_guides_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    shown = [(n, target) for n, text in guides() for target in re.findall(r"\bmake ([a-z-]+)\b", code(text))]
    assert len(shown) > 5
    assert [(n, target) for n, target in shown if target not in targets] == []


def test_every_command_in_the_guides_exists_with_its_options() -> None:
    calls = [(n, verb, rest) for n, text in guides() for verb, rest in promised_calls(text)]
    assert {verb for n, verb, _ in calls if n == "README.md"} >= {
        "run",
        "check-config",
        "decode",
        "verify",
        "replay",
    }
    assert [(n, verb) for n, verb, _ in calls if verb not in commands()] == []
    unknown = [
        (n, verb, option)
        for n, verb, rest in calls
        for option in re.findall(r"(?<!\S)--?[a-z][a-z-]*", rest)
        if option not in options(called(verb, rest))
    ]
    assert unknown == []


def test_every_file_the_guides_name_exists() -> None:
    named = [(n, f) for n, text in guides() for f in FILE_NAME.findall(text) if "NAME" not in f]
    named += [(n, f) for n, text in guides() for f in LINK.findall(text)]
    assert len(named) > 15
    there = [(ROOT / f).exists() or (ROOT / n).parent.joinpath(f).exists() for n, f in named]
    assert [
        one for one, exists in zip(named, there, strict=True) if one[1] not in MADE_LATER and not exists
    ] == []


def write_certificates(folder: Path) -> None:
    """A CA of our own, which is also the client here: ca.pem, vedette.pem, vedette.key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "example")])
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    certificate = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=36500))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder.mkdir()
    pem = certificate.public_bytes(Encoding.PEM)
    (folder / "ca.pem").write_bytes(pem)
    (folder / "vedette.pem").write_bytes(pem)
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "vedette.key").write_bytes(secret)


def test_check_config_accepts_the_example_and_misses_its_certificates(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from vedette.cli.main import run_command

    example = str(shutil.copy(ROOT / "examples" / "vedette.toml", tmp_path))
    assert run_command(["check-config", example]) == 64
    assert "certificates" in capsys.readouterr().err
    write_certificates(tmp_path / "certificates")
    assert run_command(["check-config", example]) == 0, capsys.readouterr().err


def test_the_first_example_passes_as_it_stands() -> None:
    from vedette.cli.main import run_command

    assert run_command(["check-config", str(ROOT / "examples" / "one-machine.toml")]) == 0


def pcap(frames: list[bytes], order: str, link: int) -> bytes:
    """A classic pcap file in either byte order."""
    head = struct.pack(f"{order}IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, link)
    return head + b"".join(struct.pack(f"{order}4I", 1, 0, len(f), len(f)) + f for f in frames)


@pytest.mark.parametrize("order", ["<", ">"])
def test_the_forwarder_sends_each_frame_in_a_datagram_of_its_own(order: str) -> None:
    frames = [b"one", b"", bytes(range(256)) * 4]
    command = [sys.executable, str(ROOT / "examples" / "forward_udp.py"), "127.0.0.1"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as station:
        station.bind(("127.0.0.1", 0))
        station.settimeout(10.0)
        port = str(station.getsockname()[1])
        cut_off = pcap([*frames, b"cut off"], order, 127)[:-2]
        ended = subprocess.run([*command, port], input=cut_off, capture_output=True, check=False)
        assert ended.returncode == 0, ended.stderr
        assert [station.recv(65536) for _ in frames] == frames
    assert b"?link=127" in ended.stderr
    assert b"3 frames sent" in ended.stderr


@pytest.mark.parametrize("data", [b"", b"not a capture, by any means", pcap([], "<", 1)[:12]])
def test_the_forwarder_says_when_it_is_given_something_else(data: bytes) -> None:
    command = [sys.executable, str(ROOT / "examples" / "forward_udp.py"), "127.0.0.1", "9"]
    ended = subprocess.run(command, input=data, capture_output=True, check=False)
    assert ended.returncode == 1
    assert b"not a pcap stream" in ended.stderr


def test_the_feed_addresses_in_the_guide_are_those_the_station_knows() -> None:
    from vedette.station.peers.registry import FACTORIES

    guide = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `([a-z+-]+):", guide, re.MULTILINE)) == set(FACTORIES)


def test_the_feeds_shown_in_the_readme_are_good_configuration(tmp_path: Path) -> None:
    from vedette.station.config import read_config

    blocks = re.findall(r"^    (.*)$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    start = blocks.index(next(line for line in blocks if line.startswith("[[feed]]")))
    end = max(i for i, line in enumerate(blocks) if line.startswith("key_file"))
    site = '[site]\nname = "x"\nlat_deg = 1\nlon_deg = 2\nalt_m = 3\nalt_datum = "egm96"\n'
    file = tmp_path / "vedette.toml"
    file.write_text(site + "\n".join(blocks[start : end + 1]), encoding="utf-8")
    assert [feed.name for feed in read_config(file).feed] == ["rid-1", "recorded", "tak"]


def test_the_version_is_one() -> None:
    from importlib.metadata import version

    ours = project()["version"]
    page = json.loads((ROOT / "web" / "package.json").read_text(encoding="utf-8"))["version"]
    changelog = re.search(
        r"^## \[([\d.]+)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert changelog is not None
    assert {page, changelog.group(1), version("vedette")} == {ours}


def test_scripts_can_be_started() -> None:
    scripts = [*(ROOT / "scripts").glob("*.sh"), ROOT / ".ci" / "run"]
    assert len(scripts) > 3
    assert [path.name for path in scripts if not path.stat().st_mode & 0o100] == []
    assert [path.name for path in scripts if "pipefail" not in path.read_text(encoding="utf-8")] == []


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("--extra-index-url https://mirror.example/simple", True),
        ("--find-links /some/wheels", True),
        ("--no-emit-index-url --no-emit-find-links", False),
        ("registry=http://mirror.example/", True),
        ("see the Python package index", False),
    ],
)
def test_the_index_check_itself(line: str, found: bool) -> None:
    assert bool(INDEX_ADDRESS.search(line)) is found


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        ("`vedette run --config x`", [("run", " --config x")]),
        ("    .venv/bin/vedette verify a.log  # comment", [("verify", " a.log  ")]),
        ("Talk of vedette things in a sentence.", []),
        ("`vedette.toml` and `src/vedette/record/`", []),
    ],
)
def test_the_command_check_itself(text: str, calls: list[tuple[str, str]]) -> None:
    assert promised_calls(text) == calls


@pytest.mark.parametrize(
    ("command", "code", "shown"),
    [(["true"], 0, "done"), (["sh", "-c", "echo what went wrong; exit 7"], 7, "what went wrong")],
)
def test_a_step_is_quiet_when_good_and_shows_its_output_when_not(
    command: list[str], code: int, shown: str
) -> None:
    step = [str(ROOT / "scripts" / "step.sh"), f"test step {code}", *command]
    ended = subprocess.run(step, capture_output=True, text=True, check=False)
    assert ended.returncode == code
    assert ended.stdout == ""
    assert shown in ended.stderr
    (ROOT / ".venv" / "log" / f"test-step-{code}.txt").unlink()
