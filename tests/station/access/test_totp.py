"""One-time codes: the vectors of the two RFCs, drift and replay."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.station.access import totp

RFC_KEY = b"12345678901234567890"


HOTP = ("755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489")


@pytest.mark.parametrize("counter", range(10))
def test_the_vectors_of_rfc_4226(counter: int) -> None:
    assert totp.hotp(RFC_KEY, counter) == HOTP[counter]


@pytest.mark.parametrize(
    ("time", "sha1", "sha256", "sha512"),
    [
        (59, "94287082", "46119246", "90693936"),
        (1111111109, "07081804", "68084774", "25091201"),
        (1111111111, "14050471", "67062674", "99943326"),
        (1234567890, "89005924", "91819424", "93441116"),
        (2000000000, "69279037", "90698825", "38618901"),
        (20000000000, "65353130", "77737706", "47863826"),
    ],
)
def test_the_vectors_of_rfc_6238(time: int, sha1: str, sha256: str, sha512: str) -> None:
    counter = totp.counter_at(time)
    keys = {"sha1": RFC_KEY, "sha256": (RFC_KEY * 2)[:32], "sha512": (RFC_KEY * 4)[:64]}
    for algorithm, code in (("sha1", sha1), ("sha256", sha256), ("sha512", sha512)):
        assert totp.hotp(keys[algorithm], counter, 8, algorithm) == code


@pytest.mark.parametrize(("offset", "good"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_clock_may_be_one_period_off(offset: int, good: bool) -> None:
    now = 1_790_000_015.0
    code = totp.hotp(RFC_KEY, totp.counter_at(now) + offset)
    assert (totp.matching_counter(RFC_KEY, code, now, after=-1) is not None) is good


@given(st.lists(st.tuples(st.integers(0, 90), st.integers(-1, 1)), max_size=12))
def test_no_code_is_taken_twice_however_the_clock_goes(steps: list[tuple[int, int]]) -> None:
    now, last, taken = 1_790_000_000.0, -1, []
    for seconds, offset in steps:
        now += seconds
        code = totp.hotp(RFC_KEY, totp.counter_at(now) + offset)
        counter = totp.matching_counter(RFC_KEY, code, now, after=last)
        if counter is not None:
            assert counter > last
            last = counter
            taken.append(counter)
    assert len(set(taken)) == len(taken)


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "\ud800", "0" * 10000])
def test_what_is_no_code_is_wrong(code: str) -> None:
    assert totp.matching_counter(RFC_KEY, code, 1_790_000_000.0, after=-1) is None


def test_the_first_seconds_of_the_epoch_have_no_counter_before_them() -> None:
    assert totp.matching_counter(RFC_KEY, totp.hotp(RFC_KEY, 0), 3.0, after=-1) == 0


def test_the_address_for_a_code_generator_is_quoted() -> None:
    uri = totp.setup_uri(b"\x00" * 20, "anna", "Pass & Tal/Nord")
    assert uri.startswith("otpauth://totp/Vedette%20Pass%20%26%20Tal/Nord:anna?secret=AAAAAAAA")
    assert "=" not in uri.split("secret=")[1].split("&")[0]
