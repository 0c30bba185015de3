"""Paged authentication data of Open Drone ID: pages <-> one block (ASTM F3411-22a, table of AUTH).

Assembling says nothing about truth: no signature is checked here.
"""

from msgspec import Struct

from vedette.wire.errors import EncodeError
from vedette.wire.opendroneid.messages import AuthPage

FIRST_PAGE_BYTES = 17
NEXT_PAGE_BYTES = 23
MAX_BYTES = FIRST_PAGE_BYTES + 15 * NEXT_PAGE_BYTES


class Authentication(Struct, frozen=True, kw_only=True):
    """A whole block of authentication data; ``time`` is Unix seconds."""

    auth_type: int
    data: bytes
    time: int | None = None


class AuthAssembler:
    """Collects the pages of one transmitter; holds at most 16 of them."""

    def __init__(self) -> None:
        self._pages: dict[int, AuthPage] = {}

    def add(self, page: AuthPage) -> Authentication | None:
        """Take one page; returns the block once all its pages are there, and then starts afresh.

        A page 0 that differs from the one at hand starts a new block: pages of two blocks never mix.
        """
        first = self._pages.get(0)
        if page.page == 0 and first is not None and first != page:
            self._pages.clear()
        if any(held.auth_type != page.auth_type for held in self._pages.values()):
            self._pages.clear()
        self._pages[page.page] = page
        return self._whole()

    def _whole(self) -> Authentication | None:
        first = self._pages.get(0)
        if first is None or first.last_page is None or first.length_bytes is None:
            return None
        wanted = range(first.last_page + 1)
        if any(number not in self._pages for number in wanted):
            return None
        data = b"".join(self._pages[number].data for number in wanted)
        self._pages.clear()
        return Authentication(auth_type=first.auth_type, data=data[: first.length_bytes], time=first.time)


def auth_pages(block: Authentication, version: int = 2) -> tuple[AuthPage, ...]:
    """A block -> its pages, padded with NUL. Raises EncodeError above 255 bytes (the length field)."""
    if len(block.data) > min(255, MAX_BYTES):
        raise EncodeError("auth", f"authentication data has at most 255 bytes, not {len(block.data)}")
    rest = block.data[FIRST_PAGE_BYTES:]
    chunks = [rest[i : i + NEXT_PAGE_BYTES] for i in range(0, len(rest), NEXT_PAGE_BYTES)]
    first = AuthPage(
        auth_type=block.auth_type,
        page=0,
        last_page=len(chunks),
        length_bytes=len(block.data),
        time=block.time,
        data=block.data[:FIRST_PAGE_BYTES].ljust(FIRST_PAGE_BYTES, b"\0"),
        version=version,
    )
    others = (
        AuthPage(auth_type=block.auth_type, page=n, data=chunk.ljust(NEXT_PAGE_BYTES, b"\0"), version=version)
        for n, chunk in enumerate(chunks, start=1)
    )
    return (first, *others)
