"""Find the events in a stream of CoT XML that may be cut anywhere.

TAK clients send one XML document after the other, with or without a declaration, white space or
NULs between them; there is no length field. The splitter walks the markup (tags with their quoted
attributes, comments, CDATA, processing instructions) so that an end tag inside a text or a comment
does not end an event and an event inside another one's detail is not taken for an event of its own.

Every byte is walked once, so garbage costs its length and no more; the buffer never exceeds the
largest event plus one read.
"""

import re

from vedette.wire.cot.event import CotError, CotEvent
from vedette.wire.cot.read import MAX_DEPTH, MAX_EVENT_BYTES, read_event

START = re.compile(rb"<event(?=[\s/>])")
_BETWEEN = re.compile(rb"[\s\0]+|<\?xml[^<>]{0,200}\?>")
_TAG = re.compile(rb"<(?>[^<>\"']++|\"[^<\"]*+\"|'[^<']*+')*+>")
_NAME = re.compile(rb"</?([^\s/>\"'=<]{1,256})")
_KEPT = 256
"""Bytes at the end of unrecognised input that may be the beginning of a declaration or an event."""

_SPANS = ((b"<!--", b"-->"), (b"<![CDATA[", b"]]>"), (b"<?", b"?>"))


class CotSplitter:
    """Bytes in, events and errors out, in the order they were sent.

    ``garbage_bytes`` counts what stood between events and is neither white space nor a declaration.
    """

    def __init__(self) -> None:
        self.garbage_bytes = 0
        self._buffer = bytearray()
        self._at = 0
        self._open: list[bytes] = []

    @property
    def begun(self) -> bool:
        """True while something has begun that is not ended."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> list[CotEvent | CotError]:
        """The events completed by ``data``, and one CotError for each that had to be given up."""
        found: list[CotEvent | CotError] = []
        view = memoryview(data)
        for offset in range(0, len(view), MAX_EVENT_BYTES):
            self._buffer += view[offset : offset + MAX_EVENT_BYTES]
            self._walk(found)
        return found

    def _walk(self, found: list[CotEvent | CotError]) -> None:
        while True:
            if not self._open and not self._seek(found):
                return
            try:
                end = self._event_end()
                if end is None:
                    self._check_size()
                    return
            except CotError as error:
                self._give_up(error, found)
                continue
            found.append(_read(bytes(self._buffer[:end])))
            self._restart(end)

    def _seek(self, found: list[CotEvent | CotError]) -> bool:
        """Drop what stands before the next event; True if one begins at the start of the buffer.

        A stream that carries more than XML adds what else it meets to ``found``.
        """
        start = START.search(self._buffer)
        if start is None:
            self._drop_noise(self._noise_end())
            return False
        self._drop_noise(start.start())
        return True

    def _noise_end(self) -> int:
        """How much of a buffer without an event can go: all but a last piece that may grow into one."""
        last = self._buffer.rfind(b"<", max(0, len(self._buffer) - _KEPT))
        return len(self._buffer) if last < 0 else last

    def _drop_noise(self, end: int) -> None:
        self.garbage_bytes += len(_BETWEEN.sub(b"", self._buffer[:end]))
        del self._buffer[:end]

    def _event_end(self) -> int | None:
        """Walk on to the end of the event at the start of the buffer; None until it has arrived."""
        while True:
            opening = self._buffer.find(b"<", self._at)
            if opening < 0:
                self._at = len(self._buffer)
                return None
            end = self._token_end(opening)
            self._at = opening if end is None else end
            if end is None:
                return None
            if not self._open:
                return end

    def _token_end(self, opening: int) -> int | None:
        """Index behind the markup at ``opening``, None if it is not complete. Keeps ``_open`` in step."""
        rest = bytes(self._buffer[opening : opening + 9])
        for head, tail in _SPANS:
            if rest.startswith(head):
                close = self._buffer.find(tail, opening + len(head))
                return None if close < 0 else close + len(tail)
            if len(rest) < len(head) and head.startswith(rest):
                return None
        if rest.startswith(b"<!"):
            raise CotError("document-type", "a declaration stands inside an event")
        tag = _TAG.match(self._buffer, opening)
        if tag is None:
            if self._buffer.find(b"<", opening + 1) >= 0:
                raise CotError("not-xml", "a tag is not closed before the next one begins")
            return None
        self._enter(tag.group())
        return tag.end()

    def _enter(self, tag: bytes) -> None:
        named = _NAME.match(tag)
        if named is None:
            raise CotError("not-xml", f"{tag[:32]!r} is not a tag")
        name = named.group(1)
        if tag.startswith(b"</"):
            if not self._open or self._open.pop() != name:
                raise CotError("not-xml", f"the end tag {name[:32]!r} closes nothing")
        elif self._open == [b"event"] and name == b"event":
            raise CotError("truncated", "an event begins before the one before it has ended")
        elif not tag.endswith(b"/>"):
            self._open.append(name)
            if len(self._open) > MAX_DEPTH:
                raise CotError("too-deep", f"elements are nested more than {MAX_DEPTH} deep")

    def _check_size(self) -> None:
        if len(self._buffer) > MAX_EVENT_BYTES:
            raise CotError("too-large", f"an event does not end within {MAX_EVENT_BYTES} bytes")

    def _give_up(self, error: CotError, found: list[CotEvent | CotError]) -> None:
        """Go on behind the offending markup, or with it where it is the next event's beginning."""
        resume = len(self._buffer)
        if error.reason != "too-large":
            opening = self._buffer.find(b"<", self._at)
            resume = opening if error.reason == "truncated" else opening + 1
        error.data = bytes(self._buffer[:resume])
        found.append(error)
        self._restart(resume)

    def _restart(self, at: int) -> None:
        del self._buffer[:at]
        self._at = 0
        self._open.clear()


def _read(data: bytes) -> CotEvent | CotError:
    try:
        return read_event(data)
    except CotError as error:
        return error
