"""CBOR as WebAuthn uses it: the RFC's own examples, round trips, and hostile bytes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.wire.cbor import MOST_BYTES, CborError, read_cbor

EXAMPLES = [
    ("00", 0),
    ("17", 23),
    ("1818", 24),
    ("1903e8", 1000),
    ("1a000f4240", 1000000),
    ("1bffffffffffffffff", 18446744073709551615),
    ("20", -1),
    ("3863", -100),
    ("f4", False),
    ("f5", True),
    ("f6", None),
    ("40", b""),
    ("4401020304", b"\x01\x02\x03\x04"),
    ("6449455446", "IETF"),
    ("62c3bc", "ü"),
    ("8301820203820405", [1, [2, 3], [4, 5]]),
    ("a201020304", {1: 2, 3: 4}),
    ("a26161016162820203", {"a": 1, "b": [2, 3]}),
]
"""RFC 8949, appendix A, as far as it is read."""
REFUSED = {
    "": "cut off",
    "18": "cut off",
    "44010203": "cut off",
    "8301": "cut off",
    "a101": "cut off",
    "9bffffffffffffffff": "cut off",
    "5bffffffffffffffff": "cut off",
    "bbffffffffffffffff": "cut off",
    "61ff": "UTF-8",
    "a2010203": "cut off",
    "a201020102": "twice",
    "a1f501": "neither",
    "a1410101": "neither",
    "a18001": "neither",
    "818181818100": "too deep",
    "9f00ff": "indefinite",
    "5f4100ff": "indefinite",
    "1c": "indefinite",
    "ff": "indefinite",
    "f90000": "float",
    "fb3ff199999999999a": "float",
    "f7": "major type 7",
    "e0": "major type 7",
    "c074": "major type 6",
}
ITEMS = st.recursive(
    st.integers(-(2**64), 2**64 - 1)
    | st.binary(max_size=40)
    | st.text(max_size=20)
    | st.booleans()
    | st.none(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.integers(-300, 300) | st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)


def written(item: Any) -> bytes:
    """The shortest form of an item."""
    if item is None or isinstance(item, bool):
        return bytes([{False: 0xF4, True: 0xF5, None: 0xF6}[item]])
    if isinstance(item, int):
        return head(0, item) if item >= 0 else head(1, -1 - item)
    if isinstance(item, bytes):
        return head(2, len(item)) + item
    if isinstance(item, str):
        return head(3, len(item.encode())) + item.encode()
    if isinstance(item, list):
        return head(4, len(item)) + b"".join(map(written, item))
    return head(5, len(item)) + b"".join(written(k) + written(v) for k, v in item.items())


def head(kind: int, number: int) -> bytes:
    if number < 24:
        return bytes([kind << 5 | number])
    size = next(i for i in range(4) if number < 1 << (8 << i))
    return bytes([kind << 5 | 24 + size]) + number.to_bytes(1 << size, "big")


def depth(item: Any) -> int:
    inner = item if isinstance(item, list) else list(item.values()) if isinstance(item, dict) else None
    return 0 if inner is None else 1 + max(map(depth, inner), default=0)


@pytest.mark.parametrize(("text", "item"), EXAMPLES)
def test_the_examples_of_the_rfc(text: str, item: object) -> None:
    assert read_cbor(bytes.fromhex(text) + b"rest") == (item, b"rest")


@pytest.mark.parametrize(("text", "words"), REFUSED.items())
def test_what_is_refused_and_why(text: str, words: str) -> None:
    with pytest.raises(CborError, match=words):
        read_cbor(bytes.fromhex(text))


@given(ITEMS)
def test_what_was_written_is_read(item: Any) -> None:
    if depth(item) <= 4:
        assert read_cbor(written(item)) == (item, b"")
    else:
        with pytest.raises(CborError, match="too deep"):
            read_cbor(written(item))


@given(st.binary(max_size=300))
def test_no_bytes_do_anything_but_be_read_or_refused(data: bytes) -> None:
    try:
        _, rest = read_cbor(data)
    except CborError:
        return
    assert data.endswith(rest)


def test_too_much_is_not_even_begun() -> None:
    with pytest.raises(CborError, match="more than"):
        read_cbor(b"\x00" * (MOST_BYTES + 1))
