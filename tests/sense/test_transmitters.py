"""What is remembered of transmitters, and who is heard when too much comes at once."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.sense.remote_id import RemoteIdAdapter
from vedette.sense.transmitters import CROWDED_PAUSE_S, Quota, Transmitter, Transmitters
from vedette.wire import bluetooth
from vedette.wire.capture import FrameBatch, Record
from vedette.wire.opendroneid import BasicId, Location, encode

NOW = 1_790_003_800.0
DRONE = bytes.fromhex("60601f000001")


def frame(time: float, address: bytes, message: BasicId | Location) -> Record:
    """A legacy advertisement: identifier and location come in frames of their own."""
    return Record(time, 256, bluetooth.encode_legacy(address, encode(message)))


def where(step: int) -> Location:
    return Location(lat_deg=48.0 + step * 1e-5, lon_deg=11.5, timestamp_s=(1000.0 + step / 10) % 3600)


def table(most: int = 10) -> tuple[Transmitters, Counter[str]]:
    counts: Counter[str] = Counter()
    return Transmitters(most, 300.0, lambda what: counts.update([what])), counts


class TestTransmitters:
    def test_a_flood_of_addresses_does_not_displace_one_that_is_familiar(self) -> None:
        transmitters, counts = table()
        drone = transmitters.find(1, NOW)
        assert transmitters.find(1, NOW + 1.0) is drone
        for i in range(100):
            transmitters.find(1000 + i, NOW + 1.0 + i / 1000)
        assert transmitters.find(1, NOW + 2.0) is drone
        assert counts["emitters-dropped"] == 91

    def test_one_that_was_heard_once_gives_way_to_the_next(self) -> None:
        transmitters, _ = table()
        first = transmitters.find(1, NOW)
        for i in range(10):
            transmitters.find(1000 + i, NOW)
        assert transmitters.find(1, NOW) is not first

    def test_among_familiar_ones_the_one_not_heard_for_longest_goes(self) -> None:
        transmitters, _ = table(3)
        known = {i: transmitters.find(i, NOW) for i in range(3)}
        for after, i in enumerate((2, 0, 1)):
            transmitters.find(i, NOW + 1.0 + after)
        transmitters.find(9, NOW + 5.0)
        kept = [i for i in (0, 1) if transmitters.find(i, NOW + 5.0) is known[i]]
        assert kept == [0, 1]
        assert transmitters.find(2, NOW + 5.0) is not known[2]

    def test_without_an_address_nothing_is_remembered(self) -> None:
        transmitters, _ = table()
        assert transmitters.find(-1, NOW) is not transmitters.find(-1, NOW)

    def test_familiar_ones_are_forgotten_too(self) -> None:
        transmitters, counts = table()
        drone = transmitters.find(1, NOW)
        transmitters.find(1, NOW + 2.0)
        assert transmitters.find(1, NOW + 400.0) is not drone
        assert counts["emitters-forgotten"] == 1

    @given(st.lists(st.tuples(st.integers(0, 30), st.floats(0.0, 5.0)), max_size=200))
    def test_the_table_is_bounded(self, calls) -> None:
        transmitters, _ = table(8)
        for address, after in calls:
            transmitters.find(address, NOW + after)
            assert len(transmitters._familiar) + len(transmitters._strangers) <= 8


class TestQuota:
    def test_without_a_bound_everything_passes(self) -> None:
        stranger, quota = Transmitter(1, NOW), Quota(None)
        assert all(quota.admits(stranger, NOW) for _ in range(10_000))

    def test_half_is_for_familiar_ones_and_each_second_is_new(self) -> None:
        quota, familiar = Quota(100), Transmitter(1, NOW - 10.0)
        familiar.familiar = True
        passed = [quota.admits(Transmitter(2 + i, NOW), NOW) for i in range(80)]
        assert sum(passed) == 50
        assert quota.admits(familiar, NOW + 0.1)
        assert not quota.admits(familiar, NOW + 0.2)
        assert quota.admits(familiar, NOW + 0.5)
        assert quota.admits(Transmitter(3, NOW), NOW + 1.0)

    def test_familiar_ones_are_bounded_together(self) -> None:
        quota, passed = Quota(100), 0
        for i in range(300):
            transmitter = Transmitter(i, NOW)
            transmitter.familiar = True
            passed += quota.admits(transmitter, NOW + 0.5)
        assert passed == 100


@pytest.mark.parametrize("most_per_s", [None, 200])
def test_a_drone_keeps_its_name_and_its_reports_through_a_flood(most_per_s) -> None:
    """20 reports in two seconds among 4,000 frames of random addresses, in a table for 500."""
    adapter = RemoteIdAdapter("rid", max_emitters=500, most_per_s=most_per_s)
    records = [frame(NOW, DRONE, BasicId(uas_id="DRONE", id_type=1, ua_type=2)), frame(NOW, DRONE, where(0))]
    records.append(frame(NOW + 1.0, DRONE, where(1)))
    adapter.detections(FrameBatch.of(records))
    found = []
    for step in range(4000):
        time = NOW + 1.0 + step / 2000
        address = DRONE if step % 200 == 199 else (step + 1).to_bytes(6, "big")
        found += adapter.detections(FrameBatch.of([frame(time, address, where(step + 2))]))
    mine = [d.received for d in found if d.claim is not None and d.claim.id == "DRONE"]
    gaps = [later - earlier for earlier, later in zip([NOW + 1.0, *mine], [*mine, NOW + 3.0], strict=True)]
    assert max(gaps) < (0.2 if most_per_s is None else 2.0 * CROWDED_PAUSE_S)
    assert len(found) == 4000 if most_per_s is None else len(found) <= 600
    assert adapter.counts.get("flooded", 0) == 4000 - len(found)
