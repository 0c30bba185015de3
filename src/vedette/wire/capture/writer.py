"""Writing pcap files (IETF draft-ietf-opsawg-pcap): little endian, nanosecond time stamps."""

import struct
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from vedette.wire.errors import EncodeError

MAX_RECORD_BYTES = 262_144
"""The largest record that libpcap writes and reads (MAXIMUM_SNAPLEN)."""
LATEST_S = float((1 << 32) - 1)

_RECORD = struct.Struct("<IIII")


class PcapWriter:
    """Streams records of one link type into a file. Use it as a context manager.

    ``target``: a path, which is created or overwritten and closed at the end, or an open binary
    stream, which stays open. Times are Unix seconds; a float resolves about 0.2 us there.
    """

    def __init__(self, target: str | Path | BinaryIO, link_type: int) -> None:
        self._owned = isinstance(target, (str, Path))
        self._file: BinaryIO = Path(target).open("wb") if isinstance(target, (str, Path)) else target  # noqa: SIM115
        self._file.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, MAX_RECORD_BYTES, link_type))

    def write(self, time: float, data: bytes) -> None:
        """Append one record. Raises EncodeError (time outside 1970..2106, record too long)."""
        if not 0.0 <= time < LATEST_S:
            raise EncodeError("time", f"a pcap record is dated 1970 to 2106, not {time} s")
        whole = int(time)
        # The fraction alone, since seconds times 1e9 no longer fit a float.
        carry, fraction = divmod(round((time - whole) * 1e9), 1_000_000_000)
        seconds = whole + carry
        if len(data) > MAX_RECORD_BYTES:
            raise EncodeError("length", f"a record has at most {MAX_RECORD_BYTES} bytes, not {len(data)}")
        self._file.write(_RECORD.pack(seconds, fraction, len(data), len(data)))
        self._file.write(data)

    def close(self) -> None:
        """Flush, and close the file if the writer opened it."""
        if self._owned:
            self._file.close()
        else:
            self._file.flush()

    def __enter__(self) -> "PcapWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
