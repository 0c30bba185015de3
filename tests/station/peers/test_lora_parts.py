"""The team's file, the counter, who is next on the air, and the ear, each by itself."""

import importlib.util
import signal
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.model import ConfigError
from vedette.model.event import Clear, Deliver
from vedette.station.peers import _lora_counter, _lora_ear
from vedette.station.peers._lora_counter import BLOCK, EPOCH_S, PER_S, CounterFile
from vedette.station.peers._lora_ear import Ear
from vedette.station.peers._lora_schedule import MOST, RESEND_S, AirBudget, Schedule, Slot
from vedette.station.peers._lora_team import read_team
from vedette.station.peers._lora_words import short_id
from vedette.wire.lora import RadioEnd, RadioFactReport, alert_key, gateway_key


def _load(name: str) -> ModuleType:
    path = Path(__file__).resolve().parent / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"vedette_parts_test_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


mesh = _load("mesh_node")
LATER = EPOCH_S + 1000.0


# The team's file ----------------------------------------------------------------------------------


def test_a_team_as_a_technician_writes_it(tmp_path: Path) -> None:
    team = read_team(mesh.write_team(tmp_path))
    assert team.numbers == {"LEAD": 1, "UNIT-A": 2}
    assert team.units == {1: "LEAD", 2: "UNIT-A"}
    assert list(team.gateways()) == [(3, 1)]
    assert (team.channel, team.hops, team.duty) == (1, 3, 0.1)


def test_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = mesh.write_team(tmp_path)
    path.chmod(0o640)
    with pytest.raises(ConfigError, match="chmod 600"):
        read_team(path)


def test_no_secret_is_shown(tmp_path: Path) -> None:
    team = read_team(mesh.write_team(tmp_path))
    assert mesh.SECRET.hex() not in repr(team)
    given_out = [*team.handouts(1).values(), *team.handouts(2).values()]
    assert mesh.SECRET.hex() not in given_out


def test_a_member_gets_what_it_needs_and_no_more(tmp_path: Path) -> None:
    team = read_team(mesh.write_team(tmp_path))
    assert team.handouts(1) == {
        "alert": alert_key(mesh.SECRET).hex(),
        "gateway": gateway_key(mesh.SECRET, 1).hex(),
    }
    assert team.handouts(2) == {"alert": alert_key(mesh.SECRET).hex()}
    with pytest.raises(ConfigError, match="no member 9"):
        team.handouts(9)


SECRET_LINE = f'secret = "{mesh.SECRET.hex()}"'


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"channel": "channel = 8"}, "channel: 8"),
        ({"channel": "hops = 8"}, "hops: 8"),
        ({"channel": "duty = 0.0"}, "duty: 0.0"),
        ({"channel": "chanel = 1"}, "chanel"),
        ({"member": '[[member]]\nnumber = 1\nunit = "X"'}, "1 is given twice"),
        ({"member": '[[member]]\nnumber = 2\nunit = "LEAD"'}, "'LEAD' is given twice"),
        ({"member": '[[member]]\nnumber = 0\nunit = "X"'}, "0 is not 1 to 255"),
        ({"member": '[[member]]\nnumber = 2\nunit = " "'}, "names its unit"),
        ({"key": "key = []"}, "openssl rand"),
        ({"key": '[[key]]\nid = 1\nsecret = "abc"'}, "key 1: the secret"),
        ({"key": f'[[key]]\nid = 1\nsecret = "{"00" * 32}"'}, "key 1: the secret"),
        ({"key": f"[[key]]\nid = 256\n{SECRET_LINE}"}, "256 is not 0 to 255"),
        ({"key": f"[[key]]\nid = 1\n{SECRET_LINE}\n[[key]]\nid = 1\n{SECRET_LINE}"}, "1 is given twice"),
    ],
)
def test_what_is_wrong_with_a_team_is_told(tmp_path: Path, changes: dict[str, str], words: str) -> None:
    if "key = []" in changes.values():
        changes = {"team": 'team = "alpha"\nkey = []', "key": ""}
    path = mesh.write_team(tmp_path, **changes)
    with pytest.raises(ConfigError, match=words) as caught:
        read_team(path)
    assert str(path) in str(caught.value)
    assert mesh.SECRET.hex() not in str(caught.value)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_team(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="UTF-8"):
        read_team(tmp_path / "bad.toml")


# The counter --------------------------------------------------------------------------------------


def opened(path: Path, now: float = LATER, key: int = 3) -> CounterFile:
    counter = CounterFile(path, key)
    counter.open()
    counter.reserve(now)
    return counter


def test_numbers_only_rise_over_restarts_and_blocks(tmp_path: Path) -> None:
    taken: list[int] = []
    for _ in range(4):
        counter = opened(tmp_path / "c.counter")
        for _ in range(BLOCK + 5):
            if counter.left == 0:
                counter.reserve(LATER)
            taken.append(counter.take())
        counter.close()
    assert taken == sorted(set(taken))
    assert taken[0] == 1000 * PER_S


DIES = """
import os, signal, sys
from pathlib import Path
from vedette.station.peers._lora_counter import CounterFile
counter = CounterFile(Path(sys.argv[1]), 3)
counter.open()
counter.reserve(float(sys.argv[2]))
print(*(counter.take() for _ in range(int(sys.argv[3]))), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_station_repeats_no_number(tmp_path: Path) -> None:
    taken: list[int] = []
    for used in ("3", "1", "7"):
        command = [sys.executable, "-c", DIES, str(tmp_path / "c.counter"), str(LATER), used]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == -signal.SIGKILL, done.stderr
        taken += map(int, done.stdout.split())
    assert len(taken) == 11
    assert taken == sorted(set(taken))


def test_a_lost_file_is_made_up_for_by_the_clock(tmp_path: Path) -> None:
    first = opened(tmp_path / "c.counter")
    used = [first.take() for _ in range(20)]
    first.close()
    (tmp_path / "c.counter").unlink()
    assert opened(tmp_path / "c.counter", LATER + 60.0).take() > used[-1]


def test_a_clock_that_goes_back_is_made_up_for_by_the_file(tmp_path: Path) -> None:
    first = opened(tmp_path / "c.counter")
    used = [first.take() for _ in range(20)]
    first.close()
    assert opened(tmp_path / "c.counter", 0.0).take() > used[-1]


def test_a_damaged_file_is_told_and_mended(tmp_path: Path) -> None:
    path = tmp_path / "c.counter"
    path.write_text("{")
    counter = opened(path)
    assert "damaged" in (counter.trouble or "")
    assert counter.take() >= 1000 * PER_S


def test_keys_have_numbers_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "c.counter"
    one = opened(path, 0.0, key=1)
    assert one.take() == 0
    one.close()
    two = opened(path, 0.0, key=2)
    assert two.take() == 0
    two.close()
    assert opened(path, 0.0, key=1).take() == BLOCK


def test_a_used_up_key_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_lora_counter, "LARGEST_COUNTER", 1000 * PER_S + 1)
    counter = opened(tmp_path / "c.counter")
    assert [counter.take(), counter.take()] == [4000, 4001]
    with pytest.raises(ConnectionError, match="new one"):
        counter.take()


def test_a_disk_that_fails_leaves_the_clock(tmp_path: Path) -> None:
    counter = opened(tmp_path / "none" / "c.counter")
    assert "not kept" in (counter.trouble or "")
    first = counter.take()
    counter.reserve(LATER)
    assert counter.take() > first, "even while the clock stands"


# Who is next --------------------------------------------------------------------------------------


def schedule() -> Schedule:
    return Schedule(lambda: 1.0)


def deliver(at: float = 0.0, **changes: object) -> Deliver:
    fields = {"time": at, "expires": at + 60.0, **changes}
    return mesh.deliver(mesh.alert(**fields))


def put(plan: Schedule, message: Deliver | Clear, at: float = 0.0, recipient: str = "UNIT-A") -> Slot:
    slot = plan.put(message, recipient, at)
    assert slot is not None
    return slot


def test_the_order_is_by_level_then_novelty_then_time() -> None:
    plan = schedule()
    kinds: dict[str, dict[str, object]] = {
        "end": {"level": "imminent"},
        "advisory": {"level": "advisory"},
        "warning": {"level": "warning"},
        "soon": {"time_to_impact_s": (5.0, 9.0)},
        "later": {"time_to_impact_s": (15.0, 29.0)},
        "unknown": {"time_to_impact_s": None},
    }
    for name, changes in kinds.items():
        made = deliver(alert=name, **changes)
        put(plan, mesh.clear(made.alert) if name == "end" else made)
    order = []
    while (slot := plan.due(0.0)) is not None:
        order.append(slot.alert)
        plan.went_out(slot, 0.0, 0.1)
    assert order == ["soon", "later", "unknown", "warning", "advisory", "end"]


def test_only_an_unacknowledged_imminent_alert_is_repeated_and_ever_less_often() -> None:
    plan = schedule()
    slot = put(plan, deliver(expires=1000.0))
    times, at = [], 0.0
    for _ in range(6):
        plan.went_out(slot, at, 0.1)
        at = slot.next_at
        times.append(at)
    pauses = [b - a for a, b in zip([0.0, *times], times, strict=False)]
    assert pauses == pytest.approx([3.0, 4.5, 6.75, 10.125, 15.0, 15.0])
    for quiet in ({"level": "warning"}, {"state": "active-acked"}):
        other = put(plan, deliver(alert="B", **quiet))
        plan.went_out(other, 0.0, 0.1)
        assert other.next_at == float("inf")
        plan = schedule()


def test_a_slow_channel_is_given_time_between_repeats() -> None:
    plan = schedule()
    slot = put(plan, deliver())
    plan.went_out(slot, 0.0, 2.0)
    assert slot.next_at == 8.0


def test_an_acknowledgement_quiets_its_revision_and_no_later_one() -> None:
    plan = schedule()
    slot = put(plan, deliver(revision=2))
    plan.went_out(slot, 0.0, 0.1)
    plan.quiet("AABCDEFGHIJ", 1)
    assert slot.next_at == 3.0
    plan.quiet("AABCDEFGHIJ", 2)
    assert slot.next_at == float("inf")
    plan.quiet("nobody", 1)


def test_an_acknowledgement_never_holds_back_what_was_not_said_yet() -> None:
    plan = schedule()
    slot = put(plan, deliver())
    plan.quiet("AABCDEFGHIJ", 1)
    assert plan.due(0.0) is slot


def test_a_newer_revision_takes_the_place_and_an_older_one_is_refused() -> None:
    plan = schedule()
    put(plan, deliver())
    newer = put(plan, deliver(revision=2))
    assert plan.put(deliver(), "UNIT-A", 0.0) is None
    assert plan.due(0.0) is newer
    assert len(plan) == 1


def test_a_revision_that_raises_nothing_gives_the_air_time() -> None:
    """An alarm that is revised each second would fill a slow channel by itself."""
    plan, air = schedule(), AirBudget(0.01, 0.0)
    plan.went_out(put(plan, deliver()), 0.0, 0.1)
    air.spend(1000.0, 0.0)
    newer = put(plan, deliver(revision=2), at=1.0)
    assert not newer.is_news
    assert plan.due(1.0) is None
    assert plan.due(3.0) is newer
    assert air.wait_s(newer, 0.1, 3.0) > 0.0
    plan.went_out(newer, 3.0, 0.1)
    assert newer.next_at == 3.0 + 4.5, "it goes on where the one before was"


@pytest.mark.parametrize(
    ("was", "then"),
    [
        ({"level": "warning"}, {"level": "imminent"}),
        ({"state": "active-acked"}, {"state": "active-unacked"}),
        ({"state": "returned-unacked"}, {"state": "active-unacked"}),
    ],
)
def test_a_new_alarm_of_an_old_alert_goes_out_at_once(was: dict, then: dict) -> None:
    plan, air = schedule(), AirBudget(0.01, 0.0)
    plan.went_out(put(plan, deliver(**was)), 0.0, 0.1)
    air.spend(1000.0, 0.0)
    newer = put(plan, deliver(revision=2, **then), at=0.5)
    assert newer.is_news
    assert plan.due(0.5) is newer
    assert air.wait_s(newer, 0.1, 0.5) == 0.0


def test_an_end_takes_the_place_of_its_alert() -> None:
    plan = schedule()
    danger = deliver()
    put(plan, danger)
    end = put(plan, mesh.clear(danger.alert))
    assert plan.due(0.0) is end


def test_what_has_expired_is_not_said() -> None:
    plan = schedule()
    put(plan, deliver(expires=5.0))
    assert plan.due(5.1) is None
    assert len(plan) == 0


def test_recipients_share_a_frame_and_an_escalation_asks_for_another() -> None:
    plan = schedule()
    message = deliver(level="warning")
    slot = put(plan, message)
    assert put(plan, message, recipient="UNIT-B") is slot
    plan.went_out(slot, 0.0, 0.1)
    assert slot.told == {"UNIT-A", "UNIT-B"}
    put(plan, message, at=1.0, recipient="LEAD")
    assert slot.told == {"UNIT-A", "UNIT-B", "LEAD"}
    assert plan.due(1.0) is None
    put(plan, message, at=RESEND_S + 0.1)
    assert plan.due(RESEND_S + 0.1) is slot
    assert not slot.accepted.is_set()


def test_a_flood_sheds_the_least_urgent() -> None:
    plan = schedule()
    put(plan, deliver(alert="worst", time_to_impact_s=(1.0, 2.0)))
    for number in range(MOST + 50):
        put(plan, deliver(alert=f"A{number}", level="advisory"))
    assert len(plan) == MOST
    assert plan.shed == 51
    due = plan.due(0.0)
    assert due is not None
    assert due.alert == "worst"
    shed = plan.put(deliver(alert="Z", level="info"), "UNIT-A", 0.0)
    assert shed is not None
    assert not plan.holds(shed)


# The airtime --------------------------------------------------------------------------------------


def test_the_first_word_of_an_imminent_alert_is_never_held_back() -> None:
    air, plan = AirBudget(0.01, 0.0), schedule()
    air.spend(1000.0, 0.0)
    slot = put(plan, deliver())
    assert air.wait_s(slot, 1.0, 0.0) == 0.0
    slot.times = 1
    assert air.wait_s(slot, 1.0, 0.0) > 0.0


def test_what_is_less_urgent_leaves_air_to_what_is_worse() -> None:
    air, plan = AirBudget(0.1, 0.0), schedule()
    air.spend(0.6 * 360.0, 0.0)
    slots = {level: put(plan, deliver(alert=level, level=level)) for level in ("advisory", "warning")}
    assert air.wait_s(slots["warning"], 1.0, 0.0) == 0.0
    assert air.wait_s(slots["advisory"], 1.0, 0.0) == pytest.approx((1.0 + 0.1 * 360.0) / 0.1)
    assert air.left == pytest.approx(0.4)


@given(st.lists(st.tuples(st.floats(0.0, 100.0), st.floats(0.01, 3.0)), max_size=60), st.floats(0.01, 1.0))
def test_an_hour_has_no_more_air_than_its_share(steps: list[tuple[float, float]], duty: float) -> None:
    """Of what waits for its turn; twice the share at most in any hour, as the first may be saved up."""
    air, at, spent = AirBudget(duty, 0.0), 0.0, 0.0
    slot = put(schedule(), deliver(level="advisory"))
    for pause, cost in steps:
        at += pause
        if air.wait_s(slot, cost, at) == 0.0:
            air.spend(cost, at)
            spent += cost
    assert spent <= duty * (3600.0 + at) + 1e-6


# The ear ------------------------------------------------------------------------------------------


def ear(refused: list[str], at: list[float]) -> Ear:
    return Ear("radio", mesh.TEAM, lambda: at[0], lambda reason, frame: refused.append(reason))


def report(alert: str = "A1", revision: int = 1) -> RadioFactReport:
    return RadioFactReport(
        alert=short_id(alert), revision=revision, time=0, fact="acknowledged", member=2, by=1
    )


def test_forgeries_are_tried_no_faster_than_a_channel_could_carry() -> None:
    refused: list[str] = []
    at = [0.0]
    listening = ear(refused, at)
    good = mesh.Gateway().say(report())
    for _ in range(1000):
        listening.take(good[:-1] + b"\0", 0.0)
    assert refused.count("forged") == _lora_ear.BURST
    assert refused.count("flooded") == 1000 - _lora_ear.BURST
    at[0] = 1.0
    for _ in range(1000):
        listening.take(good[:-1] + b"\0", 0.0)
    assert refused.count("forged") == _lora_ear.BURST + _lora_ear.MOST_PER_S


def test_two_alerts_of_one_short_id_answer_to_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_lora_ear, "short_id", lambda alert: 7)
    refused: list[str] = []
    listening = ear(refused, [0.0])
    listening.sent("A1", 1, "live", {"UNIT-A"})
    listening.sent("A2", 1, "live", {"UNIT-A"})
    said = RadioFactReport(alert=7, revision=1, time=0, fact="acknowledged", member=2, by=1)
    assert listening.take(mesh.Gateway().say(said), 0.0) == []
    assert refused == ["fact-of-unknown-alert"]


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_lora_ear, "MOST_SENT", 10)
    refused: list[str] = []
    listening = ear(refused, [0.0])
    for number in range(30):
        listening.sent(f"A{number}", 1, "live", {"UNIT-A"})
    assert len(listening._sent) == 10
    gateway = mesh.Gateway()
    assert listening.take(gateway.say(report("A29")), 5.0)[0].alert == "A29"
    assert listening.take(gateway.say(report("A0")), 5.0) == []


def test_a_nameless_person_acknowledges_nothing() -> None:
    refused: list[str] = []
    listening = ear(refused, [0.0])
    listening.sent("A1", 1, "live", {"UNIT-A"})
    assert listening.take(mesh.Gateway().say(report(), by=99), 0.0) == []
    assert refused == ["fact-of-unknown-member"]


@given(st.binary(max_size=60))
def test_any_bytes_are_refused_with_a_reason(frame: bytes) -> None:
    refused: list[str] = []
    assert ear(refused, [0.0]).take(frame, 0.0) == []
    assert len(refused) == 1


def test_an_alert_that_a_gateway_invents_is_no_alert() -> None:
    refused: list[str] = []
    gateway = mesh.Gateway()
    header = mesh.Header(purpose="live", key_id=3, sender=1, counter=5)
    end = RadioEnd(
        alert=1, revision=1, time=1, template=17, pack=1, subject=2, bearing_deg=None, range_m=None, seen=1,
        expires_s=5,
    )  # fmt: skip
    assert ear(refused, [0.0]).take(gateway.facts.seal(header, mesh.encode_message(end)), 0.0) == []
    assert refused == ["not-a-fact"]
