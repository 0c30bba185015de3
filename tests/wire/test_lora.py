"""The radio alert: what fits into a byte, what is sealed, what is refused, and what it costs on the air."""

import hmac
import math

import msgspec
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESCCM
from hypothesis import assume, given
from hypothesis import strategies as st

from vedette.wire.errors import DecodeError, EncodeError
from vedette.wire.lora import (
    MOST_BYTES,
    PRESETS,
    Header,
    Modem,
    Purpose,
    RadioAlert,
    RadioEnd,
    RadioFactReport,
    RadioMessage,
    ReplayWindow,
    Sealer,
    airtime_s,
    alert_key,
    codes,
    decode_message,
    encode_message,
    flood_s,
    gateway_key,
    read_header,
)
from vedette.wire.lora.airtime import LARGEST_PAYLOAD
from vedette.wire.lora.seal import LARGEST_COUNTER, WINDOW

SECRET = bytes(range(32))
PURPOSES: tuple[Purpose, ...] = ("live", "exercise", "test")
BYTE, U16, U32 = st.integers(0, 255), st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF)
METRES = st.none() | st.floats(0.0, 30_000.0)
SECONDS = st.floats(0.0, 20_000.0)
LEVELS = st.sampled_from(["info", "advisory", "warning", "imminent"])
ALERTS = st.builds(
    RadioAlert,
    alert=U32,
    revision=U16,
    level=LEVELS,
    time=U32,
    template=BYTE,
    pack=BYTE,
    subject=BYTE,
    bearing_deg=st.none() | st.floats(0.0, 360.0),
    range_m=METRES,
    low_s=st.none() | SECONDS,
    high_s=st.none() | SECONDS,
    expires_s=st.integers(0, 1275),
    count=st.integers(0, 255),
    octants=st.none() | st.lists(st.integers(0, 7), max_size=3).map(tuple),
    sound=st.booleans(),
)
ENDS = st.builds(
    RadioEnd,
    alert=U32,
    revision=U16,
    time=st.integers(0x10000, 0xFFFFFFFF),
    template=BYTE,
    pack=BYTE,
    subject=BYTE,
    bearing_deg=st.none() | st.floats(0.0, 360.0),
    range_m=METRES,
    seen=st.integers(0, 0xFFFFFFFF),
    expires_s=st.integers(0, 1275),
)
FACTS = st.builds(
    RadioFactReport,
    alert=U32,
    revision=U16,
    time=U32,
    fact=st.sampled_from(["on-device", "shown", "acknowledged"]),
    member=BYTE,
    by=BYTE,
)
MESSAGES: st.SearchStrategy[RadioMessage] = st.one_of(ALERTS, ENDS, FACTS)
HEADERS = st.builds(
    Header,
    purpose=st.sampled_from(PURPOSES),
    key_id=BYTE,
    sender=BYTE,
    counter=st.integers(0, LARGEST_COUNTER),
)


# Figures in a byte --------------------------------------------------------------------------------


@given(st.floats(-720.0, 720.0))
def test_a_bearing_keeps_its_direction_and_three_quarters_of_a_degree(bearing: float) -> None:
    told = codes.bearing_deg(codes.bearing_code(bearing))
    assert abs((told - bearing + 180.0) % 360.0 - 180.0) <= 0.7032
    assert codes.octant_code(told) == codes.octant_code(bearing)


@given(st.integers(0, 255))
def test_codes_read_back_as_themselves(code: int) -> None:
    assert codes.bearing_code(codes.bearing_deg(code)) == code
    assert codes.range_code(codes.range_m(code)) == code
    if code <= codes.LARGEST_TIME_CODE:
        # 1 min as a nearest figure, and 99 s as a lower bound, are written by nobody.
        assert code in (28,) or codes.at_least_code(codes.at_least_s(code)) == code
        assert code in (29,) or codes.about_code(codes.about_s(code)) == code


@given(st.floats(0.0, 21_900.0))
def test_a_distance_is_rounded_as_people_are_told_it(metres: float) -> None:
    told = codes.range_m(codes.range_code(metres))
    assert told is not None
    grain = 10.0 if metres < 200.0 else 50.0 if metres < 2000.0 else 100.0
    assert abs(told - max(metres, 5.0)) <= grain / 2 + 0.001


def test_a_distance_beyond_the_last_code_stays_there_and_unknown_is_unknown() -> None:
    assert codes.range_m(codes.range_code(1e6)) == codes.LARGEST_RANGE_M == 21_900.0
    assert codes.range_code(None) == codes.UNKNOWN
    assert codes.range_m(codes.UNKNOWN) is None
    assert codes.range_m(codes.range_code(0.0)) == 10.0


@given(SECONDS)
def test_nobody_is_promised_more_time_than_there_is(seconds: float) -> None:
    """For whole minutes the code stands for the minute; a text rounds it down again."""
    told = codes.at_least_s(codes.at_least_code(seconds))
    whole = told if told < 100.0 else math.floor(told / 60.0) * 60.0
    assert whole <= seconds or seconds < 0.0
    assert seconds - whole < (1.0 if seconds < 10.0 else 5.0 if seconds < 100.0 else 60.0) or seconds > 13_560


@given(SECONDS)
def test_a_time_is_told_to_the_nearest_step(seconds: float) -> None:
    told = codes.about_s(codes.about_code(seconds))
    assert abs(told - seconds) <= (0.5 if seconds < 9.5 else 2.5 if seconds < 100.0 else 30.0) or (
        seconds > 13_530
    )


@pytest.mark.parametrize("seconds", [1e9, math.inf])
def test_a_very_long_time_is_the_longest_there_is(seconds: float) -> None:
    assert codes.at_least_code(seconds) == codes.about_code(seconds) == codes.LARGEST_TIME_CODE
    assert codes.at_least_code(-5.0) == 0


# Messages -----------------------------------------------------------------------------------------


@given(MESSAGES)
def test_a_message_reads_back_as_what_it_told(message: RadioMessage) -> None:
    once = decode_message(encode_message(message))
    assert decode_message(encode_message(once)) == once
    for name in ("alert", "revision", "time", "template", "pack", "subject", "member", "by", "fact", "level"):
        assert getattr(once, name, None) == getattr(message, name, None)
    assert getattr(once, "octants", ()) == getattr(message, "octants", ())


@given(ALERTS)
def test_what_is_not_known_is_not_told(alert: RadioAlert) -> None:
    once = decode_message(encode_message(alert))
    assert isinstance(once, RadioAlert)
    assert (once.bearing_deg is None) == (alert.bearing_deg is None)
    assert (once.range_m is None) == (alert.range_m is None)
    assert (once.high_s is None) == (alert.high_s is None)
    assert once.expires_s >= alert.expires_s


@given(ENDS)
def test_an_end_says_when_the_drone_was_seen(end: RadioEnd) -> None:
    once = decode_message(encode_message(end))
    assert isinstance(once, RadioEnd)
    assert once.seen == min(max(end.seen, end.time - 0xFFFF), end.time)


@given(st.binary(max_size=30))
def test_any_bytes_are_a_message_or_refused(data: bytes) -> None:
    try:
        message = decode_message(data)
    except DecodeError:
        return
    assert encode_message(message)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda body: b"", "empty"),
        (lambda body: body + b"\0", "wrong-length"),
        (lambda body: body[:-1], "wrong-length"),
        (lambda body: bytes([body[0] | 0b100]) + body[1:], "unknown-flag"),
        (lambda body: bytes([7 << 5]) + body[1:], "unknown-kind"),
        (lambda body: bytes([0]) + body[1:], "unknown-kind"),
        (lambda body: body[:-2] + b"\x08\x00", "unknown-flag"),
    ],
)
def test_what_this_version_does_not_know_is_refused(change, reason: str) -> None:
    alert = RadioAlert(
        alert=1, revision=1, level="imminent", time=1, template=1, pack=1, subject=1, bearing_deg=1.0,
        range_m=100.0, low_s=1.0, high_s=2.0, expires_s=5,
    )  # fmt: skip
    with pytest.raises(DecodeError) as caught:
        decode_message(change(encode_message(alert)))
    assert caught.value.reason == reason


def test_a_number_that_does_not_fit_is_told() -> None:
    with pytest.raises(EncodeError, match="does not fit"):
        encode_message(RadioFactReport(alert=1, revision=1, time=1, fact="shown", member=256, by=1))


# The seal -----------------------------------------------------------------------------------------


@given(HEADERS, MESSAGES)
def test_a_frame_has_at_most_forty_bytes_and_opens(header: Header, message: RadioMessage) -> None:
    sealer, body = Sealer(alert_key(SECRET)), encode_message(message)
    frame = sealer.seal(header, body)
    assert len(frame) <= MOST_BYTES <= LARGEST_PAYLOAD
    assert read_header(frame) == header
    assert sealer.open(header, frame) == body


def test_the_sizes_that_are_told() -> None:
    sealer = Sealer(alert_key(SECRET))
    header = Header(purpose="live", key_id=1, sender=0, counter=1)
    assert {kind: len(sealer.seal(header, bytes(kind))) for kind in (22, 19, 13)} == {22: 37, 19: 34, 13: 28}
    with pytest.raises(EncodeError, match="at most 40"):
        sealer.seal(header, bytes(26))


@given(HEADERS, MESSAGES, st.data())
def test_no_changed_bit_is_believed(header: Header, message: RadioMessage, data: st.DataObject) -> None:
    sealer = Sealer(alert_key(SECRET))
    frame = bytearray(sealer.seal(header, encode_message(message)))
    bit = data.draw(st.integers(0, 8 * len(frame) - 1))
    frame[bit // 8] ^= 1 << bit % 8
    with pytest.raises(DecodeError):
        sealer.open(read_header(bytes(frame)), bytes(frame))


@given(HEADERS, st.sampled_from(PURPOSES))
def test_a_drill_cannot_be_made_real_nor_the_reverse(header: Header, purpose: Purpose) -> None:
    """Even a receiver that swaps the mark, and knows the team's key, opens nothing."""
    assume(purpose != header.purpose)
    sealer = Sealer(alert_key(SECRET))
    frame = sealer.seal(header, b"danger")
    other = msgspec.structs.replace(header, purpose=purpose)
    swapped = sealer.seal(other, b"danger")[:1] + frame[1:]
    with pytest.raises(DecodeError, match="tag"):
        sealer.open(other, swapped)


def test_a_member_cannot_speak_for_a_gateway_nor_one_gateway_for_another() -> None:
    header = Header(purpose="live", key_id=1, sender=1, counter=1)
    frame = Sealer(gateway_key(SECRET, 1)).seal(header, b"acknowledged")
    for other in (alert_key(SECRET), gateway_key(SECRET, 2), gateway_key(bytes(32), 1)):
        with pytest.raises(DecodeError):
            Sealer(other).open(header, frame)


def test_every_frame_of_a_counter_is_another() -> None:
    sealer = Sealer(alert_key(SECRET))
    frames = {
        sealer.seal(Header(purpose=purpose, key_id=key, sender=sender, counter=counter), bytes(22))[7:]
        for purpose in PURPOSES
        for key in (0, 1)
        for sender in (0, 1)
        for counter in range(20)
    }
    assert len(frames) == 3 * 2 * 2 * 20


def hkdf(key: bytes, info: bytes) -> bytes:
    """RFC 5869 for one block, by hand."""
    drawn = hmac.digest(b"vedette-lora-1", key, "sha256")
    return hmac.digest(drawn, info + b"\x01", "sha256")


def test_a_known_answer() -> None:
    """The layout, the keys and the nonce stay what docs/lora.md says."""
    assert alert_key(SECRET) == hkdf(SECRET, b"alert")
    assert gateway_key(SECRET, 7) == hkdf(SECRET, b"gateway\x07")
    header = Header(purpose="live", key_id=3, sender=0, counter=0x01020304)
    frame = Sealer(alert_key(SECRET)).seal(header, bytes(range(13)))
    assert frame.hex() == "13030001020304" + "fc8cb8a73861299c893328cd43" + "f8427b4c86865d88"
    nonce = bytes.fromhex("030003 000000000000 01020304")
    cipher = AESCCM(hkdf(hkdf(SECRET, b"alert"), b"live"), tag_length=8)
    assert cipher.decrypt(nonce, frame[7:], frame[:7]) == bytes(range(13))


@pytest.mark.parametrize("number", [0, 256, -1])
def test_a_gateway_is_a_member(number: int) -> None:
    with pytest.raises(EncodeError):
        gateway_key(SECRET, number)


def test_a_spent_counter_and_a_bad_key_are_told() -> None:
    with pytest.raises(EncodeError, match="new key"):
        Sealer(alert_key(SECRET)).seal(
            Header(purpose="live", key_id=1, sender=0, counter=LARGEST_COUNTER + 1), b""
        )
    with pytest.raises(EncodeError, match="32 bytes"):
        Sealer(bytes(16))


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (b"", "too-short"),
        (bytes(14), "too-short"),
        (b"\x23" + bytes(30), "unknown-version"),
        (b"\x10" + bytes(30), "unknown-purpose"),
    ],
)
def test_what_is_no_frame_is_refused(frame: bytes, reason: str) -> None:
    with pytest.raises(DecodeError) as caught:
        read_header(frame)
    assert caught.value.reason == reason


@given(st.lists(st.integers(0, 300), max_size=200))
def test_the_window_admits_a_counter_once_and_nothing_far_behind(counters: list[int]) -> None:
    window, seen, highest = ReplayWindow(), set[int](), -1
    for counter in counters:
        expected = counter not in seen and (counter > highest or highest - counter < WINDOW)
        assert window.admits(counter) == expected
        if expected:
            seen.add(counter)
            highest = max(highest, counter)


@given(st.permutations(range(WINDOW)))
def test_frames_that_overtake_each_other_are_all_admitted(order: list[int]) -> None:
    window = ReplayWindow()
    assert all(window.admits(1000 + counter) for counter in order)
    assert not any(window.admits(1000 + counter) for counter in order)


def test_a_jump_forgets_what_lies_behind() -> None:
    window = ReplayWindow()
    assert window.admits(5)
    assert window.admits(LARGEST_COUNTER)
    assert not window.admits(5)
    assert window.admits(LARGEST_COUNTER - WINDOW + 1)
    assert not window.admits(LARGEST_COUNTER - WINDOW)


# The air ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("preset", "payload", "seconds"),
    [
        ("long-fast", 40, 0.68),
        ("long-fast", 100, 1.13),
        ("long-fast", 233, 2.12),
        ("medium-fast", 40, 0.19),
        ("medium-fast", 100, 0.32),
        ("medium-fast", 233, 0.63),
        ("short-fast", 40, 0.06),
        ("short-fast", 100, 0.10),
        ("short-fast", 233, 0.20),
    ],
)
def test_airtime_as_in_the_field_notes(preset: str, payload: int, seconds: float) -> None:
    assert round(airtime_s(PRESETS[preset], payload), 2) == seconds


def test_airtime_as_published() -> None:
    """lora-modulation's example: SF9, 125 kHz, 4/5, preamble 8, 12 bytes are 144.384 ms; and by hand from
    the data sheet: SF12, 125 kHz, with the low data rate optimisation, 20 bytes."""
    assert airtime_s(Modem(spreading=9, bandwidth_hz=125e3, preamble=8), 12 - 16) == pytest.approx(0.144384)
    blocks = math.ceil((8 * 20 - 4 * 12 + 28 + 16) / (4 * (12 - 2)))
    by_hand = (8 + 4.25 + 8 + blocks * 5) * 4096 / 125e3
    assert airtime_s(Modem(spreading=12, bandwidth_hz=125e3, preamble=8), 20 - 16) == pytest.approx(by_hand)


@given(st.sampled_from(sorted(PRESETS)), st.integers(0, 232))
def test_more_bytes_never_take_less_time(preset: str, payload: int) -> None:
    modem = PRESETS[preset]
    assert 0.0 < airtime_s(modem, payload) <= airtime_s(modem, payload + 1)
    assert flood_s(modem, payload, 3) == pytest.approx(3 * airtime_s(modem, payload))


def test_three_hops_of_the_slow_preset_are_two_seconds() -> None:
    assert 2.0 < flood_s(PRESETS["long-fast"], MOST_BYTES + 7, 3) < 3.0


@pytest.mark.parametrize("bad", [(4, 125e3, 5), (13, 125e3, 5), (7, 0.0, 5), (7, 125e3, 9)])
def test_what_is_no_modulation_is_refused(bad: tuple[int, float, int]) -> None:
    with pytest.raises(EncodeError):
        Modem(spreading=bad[0], bandwidth_hz=bad[1], coding=bad[2])
