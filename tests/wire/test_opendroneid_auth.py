"""Paged authentication data."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.wire.errors import EncodeError
from vedette.wire.opendroneid import AuthAssembler, Authentication, AuthPage, auth_pages, decode, encode

blocks = st.builds(
    Authentication,
    auth_type=st.integers(0, 15),
    data=st.binary(max_size=255),
    time=st.one_of(st.none(), st.integers(1_700_000_000, 1_900_000_000)),
)


@settings(deadline=None)
@given(blocks, st.randoms(use_true_random=False))
def test_pages_in_any_order_make_the_block_again(block: Authentication, random: object) -> None:
    pages = [decode(encode(page)) for page in auth_pages(block)]
    random.shuffle(pages)  # type: ignore[attr-defined]
    assembler = AuthAssembler()
    results = [assembler.add(page) for page in pages if isinstance(page, AuthPage)]
    assert results[-1] == block
    assert all(result is None for result in results[:-1])


@settings(deadline=None)
@given(blocks, blocks)
def test_pages_of_two_blocks_never_mix(one: Authentication, two: Authentication) -> None:
    assembler = AuthAssembler()
    for page in auth_pages(one)[:1] + auth_pages(two):
        result = assembler.add(page)
        assert result is None or result in (one, two)


def test_a_missing_page_gives_nothing() -> None:
    pages = auth_pages(Authentication(auth_type=1, data=bytes(range(60))))
    assembler = AuthAssembler()
    assert [assembler.add(page) for page in (pages[0], pages[2])] == [None, None]


def test_more_than_the_length_field_can_say_is_refused() -> None:
    with pytest.raises(EncodeError):
        auth_pages(Authentication(auth_type=1, data=bytes(256)))
