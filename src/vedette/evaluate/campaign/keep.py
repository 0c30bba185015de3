"""Results kept on disk as they come, so that a campaign that was interrupted goes on where it stopped.

One JSON line a result behind one line that says what computed them; a line torn by a crash is dropped.
"""

import hashlib
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import msgspec
from msgspec import Struct

import vedette
from vedette.evaluate.campaign.results import Result
from vedette.model import ConfigError

_SOURCES = (".py", ".toml", ".json")


class _Head(Struct, frozen=True):
    """``code`` is the digest of the program that made the results."""

    vedette_evaluate: int
    code: str


def code_digest() -> str:
    """Digest of this package's code and data: results of another program are not this one's."""
    root = Path(vedette.__file__).parent
    digest = hashlib.blake2b(digest_size=16)
    for path in sorted(root.rglob("*")):
        if path.suffix in _SOURCES and path.is_file():
            content = path.read_bytes()
            digest.update(f"{path.relative_to(root)}\0{len(content)}\0".encode())
            digest.update(content)
    return digest.hexdigest()


class Kept:
    """A file of results. ``found``: digest of an item -> its result, of earlier runs of the same program.

    Raises ConfigError if the file is no such file, is of another program, or cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._head = _Head(1, code_digest())
        self.found = self._read() if path.exists() else {}
        self._file: BinaryIO | None = None

    def __enter__(self) -> "Kept":
        try:
            self._rewrite()
            self._file = self._path.open("ab")
        except OSError as error:
            raise ConfigError(f"{self._path}: cannot be written: {error.strerror}") from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, result: Result) -> None:
        """Write one result, once."""
        digest = result.item.digest
        if self._file is not None and digest not in self.found:
            self.found[digest] = result
            self._file.write(msgspec.json.encode(result) + b"\n")
            self._file.flush()

    def _read(self) -> dict[str, Result]:
        first, *rest = self._path.read_bytes().split(b"\n")
        try:
            head = msgspec.json.decode(first, type=_Head)
        except msgspec.MsgspecError:
            raise ConfigError(f"{self._path}: not a file of kept results; name another file") from None
        if head != self._head:
            raise ConfigError(
                f"{self._path}: its results were computed by another version of the program; remove it, or "
                "name another file"
            )
        found = {}
        decoder = msgspec.json.Decoder(Result)
        for line in rest[:-1]:
            result = decoder.decode(line)
            found[result.item.digest] = result
        return found

    def _rewrite(self) -> None:
        """Whole lines only: what follows a torn one would be lost with it."""
        lines = [msgspec.json.encode(self._head), *map(msgspec.json.encode, self.found.values())]
        fresh = self._path.with_name(self._path.name + ".new")
        fresh.write_bytes(b"\n".join(lines) + b"\n")
        fresh.replace(self._path)
