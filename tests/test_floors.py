"""The house stands: imports go down, floors 0 to 2 are pure, and docs/architecture.md tells the truth."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "vedette"
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")

SAME_FLOOR = {("terrain", "geo"), ("terrain", "model"), ("geo", "model")}
"""(importer, imported) pairs that may stand on one floor."""

IMPURE = {
    "asyncio",
    "concurrent",
    "ctypes",
    "getpass",
    "http",
    "httpx",
    "multiprocessing",
    "random",
    "requests",
    "secrets",
    "select",
    "selectors",
    "signal",
    "socket",
    "sqlite3",
    "ssl",
    "subprocess",
    "tempfile",
    "threading",
    "time",
    "urllib.request",
    "uuid",
    "uvicorn",
    "uvloop",
    "websockets",
}
MAY = {"record": {"sqlite3", "secrets"}}
"""The store is a file and its keys are random; nothing else of floors 0 to 2 may be either."""

SEEDED = {"Generator", "PCG64", "Philox", "SeedSequence", "BitGenerator", "default_rng"}
"""What may be taken from numpy.random, given a seed."""

DETERMINISTIC = ("fuse", "assess", "warn", "core")


def floor_table(text: str) -> dict[str, tuple[int, str]]:
    """Room -> (floor, state) of the table in architecture.md."""
    rows = re.findall(r"^\| (\d) \| `(\w+)` \|.*\| (\w+) \|$", text, re.MULTILINE)
    return {room: (int(floor), state) for floor, room, state in rows}


def floor_picture(text: str) -> dict[str, int]:
    """Room -> floor of the picture in architecture.md."""
    rows = re.findall(r"^    floor (\d)((?: +\w+)+)$", text, re.MULTILINE)
    return {room: int(floor) for floor, rooms in rows for room in rooms.split()}


TABLE = floor_table(ARCHITECTURE)
FLOORS = {room: floor for room, (floor, _) in TABLE.items()}


def room_of(path: Path) -> str:
    """The room a file of the package belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def sources(*rooms: str) -> list[Path]:
    """Python files of these rooms (all if none is named)."""
    files = sorted(PACKAGE.rglob("*.py"))
    return [
        f for f in files if f.parent != PACKAGE or f.name != "__init__.py" if not rooms or room_of(f) in rooms
    ]


def absolute(path: Path, node: ast.ImportFrom) -> str:
    """The dotted name that a ``from`` import means, relative ones resolved."""
    if node.level == 0:
        return node.module or ""
    package = ["vedette", *path.relative_to(PACKAGE).parent.parts]
    base = package[: len(package) - node.level + 1]
    return ".".join([*base, node.module] if node.module else base)


def imports(path: Path, tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of every import, also inside functions and TYPE_CHECKING."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = absolute(path, node)
            yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)


def forbidden_step(importer: str, imported: str) -> bool:
    """True if a file of room ``importer`` may not import room ``imported``."""
    if importer == imported or (importer, imported) in SAME_FLOOR:
        return False
    return FLOORS[imported] >= FLOORS[importer]


def upward(path: Path, tree: ast.AST) -> list[str]:
    """The imports of one file that do not go down."""
    found = []
    for line, name in imports(path, tree):
        parts = name.split(".")
        ours = parts[0] == "vedette" and len(parts) > 1 and parts[1] in FLOORS
        if ours and forbidden_step(room_of(path), parts[1]):
            found.append(f"{path.relative_to(ROOT)}:{line} imports {name}")
    return found


def impure(path: Path, tree: ast.AST) -> list[str]:
    """Clocks, sockets, threads and unseeded chance in one file."""
    allowed = MAY.get(room_of(path), set())
    found = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for line, name in imports(path, tree)
        if any(f"{name}.".startswith(f"{module}.") for module in IMPURE - allowed)
    ]
    return found + [f"{path.relative_to(ROOT)}:{line} {what}" for line, what in chance_and_clock(tree)]


def chance_and_clock(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Calls of the wall clock and of numpy's unseeded generators."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            name = node.func.attr
            if name in {"now", "utcnow", "today"} and ast.unparse(node.func.value).startswith("date"):
                yield node.lineno, "reads the wall clock"
            if name in SEEDED - {"Generator", "BitGenerator"} and not node.args and not node.keywords:
                yield node.lineno, "makes a generator without a seed"
        if isinstance(node, ast.Attribute) and global_chance(node):
            yield node.lineno, f"uses numpy.random.{node.attr}"


def global_chance(node: ast.Attribute) -> bool:
    """True for what numpy.random offers on its hidden global state."""
    return node.attr not in SEEDED and ast.unparse(node.value) in {"np.random", "numpy.random"}


def library_dependent(path: Path, tree: ast.AST) -> list[str]:
    """Numerics whose result depends on a library or on the order of threads (DESIGN section 5)."""
    found = []
    for node in ast.walk(tree):
        what = None
        if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.MatMult):
            what = "@ (BLAS)"
        elif isinstance(node, ast.Attribute) and node.attr in {"linalg", "dot", "matmul", "einsum", "prange"}:
            what = node.attr
        elif isinstance(node, ast.keyword) and node.arg in {"fastmath", "parallel"}:
            off = isinstance(node.value, ast.Constant) and node.value.value is False
            what = None if off else f"{node.arg}="
        if what:
            found.append(f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)} {what}")
    return found


def parsed(*rooms: str) -> list[tuple[Path, ast.AST]]:
    """The files of these rooms with their syntax trees."""
    return [(path, ast.parse(path.read_text(encoding="utf-8"), str(path))) for path in sources(*rooms)]


def pure_rooms() -> list[str]:
    """Rooms of floors 0 to 2."""
    return [room for room, floor in FLOORS.items() if floor <= 2]


def test_imports_only_go_down() -> None:
    assert [line for path, tree in parsed() for line in upward(path, tree)] == []


def test_floors_0_to_2_are_pure() -> None:
    assert [line for path, tree in parsed(*pure_rooms()) for line in impure(path, tree)] == []


def test_what_decides_uses_no_library_dependent_numerics() -> None:
    assert [line for path, tree in parsed(*DETERMINISTIC) for line in library_dependent(path, tree)] == []


def test_wire_knows_none_of_our_nouns() -> None:
    names = [name for path, tree in parsed("wire") for _, name in imports(path, tree)]
    ours = [name for name in names if name.startswith("vedette.")]
    assert [name for name in ours if not name.startswith("vedette.wire")] == []


def test_assess_and_simulate_share_nouns_and_geometry_only() -> None:
    """An assessor that knows the simulator's numbers grades itself."""
    rooms = {}
    for room in ("assess", "simulate"):
        names = [name.split(".") for path, tree in parsed(room) for _, name in imports(path, tree)]
        rooms[room] = {parts[1] for parts in names if parts[0] == "vedette" and len(parts) > 1}
    assert "simulate" not in rooms["assess"]
    assert "assess" not in rooms["simulate"]
    assert (rooms["assess"] & rooms["simulate"]) <= {"model", "geo", "terrain"}


def test_every_room_on_disk_is_in_the_table_and_planned_ones_are_not_there() -> None:
    on_disk = {room_of(path) for path in sources() if path.stat().st_size}
    assert on_disk - set(TABLE) == set()
    states = {state for _, state in TABLE.values()}
    assert states == {"built", "planned"}
    built = {room for room, (_, state) in TABLE.items() if state == "built"}
    assert on_disk == built


def test_picture_and_table_agree() -> None:
    assert floor_picture(ARCHITECTURE) == FLOORS


def test_event_kinds_named_in_the_guide_are_those_of_the_code() -> None:
    from vedette.model.event import KINDS

    section = ARCHITECTURE.partition("## The event contract")[2].partition("## Where")[0]
    rows = "\n".join(line for line in section.splitlines() if line.startswith("| the "))
    assert sorted(re.findall(r"`([a-z-]+)`", rows)) == sorted(KINDS)


@pytest.mark.parametrize(
    ("place", "code", "faults"),
    [
        ("fuse/x.py", "from vedette.assess import risk", 1),
        ("fuse/x.py", "def f():\n    import vedette.station.clock", 1),
        (
            "sense/x.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from vedette import core",
            1,
        ),
        ("wire/x.py", "from vedette.model import Track", 1),
        ("wire/a/x.py", "from ...model import Track", 1),
        ("wire/a/x.py", "from ..errors import WireError", 0),
        ("terrain.py", "from vedette.geo import LocalFrame", 0),
        ("geo.py", "from vedette.terrain import mask", 1),
        ("station/x.py", "from vedette.core import Core\nfrom vedette.model import Track", 0),
        ("console/x.py", "from vedette.cli import main", 1),
    ],
)
def test_the_import_check_itself(place: str, code: str, faults: int) -> None:
    assert len(upward(PACKAGE / place, ast.parse(code))) == faults


@pytest.mark.parametrize(
    ("place", "code", "faults"),
    [
        ("fuse/x.py", "import time", 1),
        ("fuse/x.py", "def f():\n    from random import random", 1),
        ("fuse/x.py", "from datetime import datetime\nx = datetime.now()", 1),
        ("fuse/x.py", "import datetime\nx = datetime.datetime.now(datetime.UTC)", 1),
        ("fuse/x.py", "from datetime import UTC, datetime\nx = datetime.fromtimestamp(1.0, UTC)", 0),
        ("simulate/x.py", "import numpy as np\nr = np.random.default_rng()", 1),
        ("simulate/x.py", "import numpy as np\nr = np.random.Generator(np.random.PCG64(7))", 0),
        ("simulate/x.py", "import numpy as np\nr = np.random.rand(3)", 1),
        ("record/x.py", "import sqlite3", 0),
        ("record/x.py", "import time", 1),
        ("warn/x.py", "import sqlite3", 1),
    ],
)
def test_the_purity_check_itself(place: str, code: str, faults: int) -> None:
    assert len(impure(PACKAGE / place, ast.parse(code))) == faults


@pytest.mark.parametrize(
    ("code", "faults"),
    [
        ("c = a @ b", 1),
        ("c @= b", 1),
        ("import numpy as np\nc = np.linalg.inv(a)", 1),
        ("@njit(cache=True, fastmath=True)\ndef f(): ...", 1),
        ("@njit(cache=True, fastmath=False)\ndef f(): ...", 0),
        ("c = a * b + d", 0),
    ],
)
def test_the_numerics_check_itself(code: str, faults: int) -> None:
    assert len(library_dependent(PACKAGE / "fuse" / "x.py", ast.parse(code))) == faults
