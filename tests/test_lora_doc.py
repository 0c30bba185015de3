"""docs/lora.md says what the code does: the table of the air, the sizes, the known answer, the reasons."""

import re
from pathlib import Path

import pytest

from vedette.station.peers._lora_counter import BLOCK, PER_S
from vedette.station.peers._lora_ear import MOST_PER_S
from vedette.station.peers._lora_schedule import FIRST_PAUSE_S, LONGEST_PAUSE_S, RESERVES
from vedette.wire.lora import PRESETS, Header, Sealer, airtime_s, alert_key, flood_s
from vedette.wire.lora.airtime import DATA_BYTES

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "lora.md").read_text(encoding="utf-8")
FLAT = " ".join(PAGE.split())
ALERT_BYTES = 37
ROWS = re.findall(r"^\| (\w+) \| ([\d.]+) s \| ([\d.]+) s \| (\d+) \|$", PAGE, re.MULTILINE)


def test_there_is_a_table_of_the_air() -> None:
    assert len(ROWS) == 5


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_the_air_costs_what_the_page_says(row: tuple[str, str, str, str]) -> None:
    preset, once, flooded, alerts = row
    modem = PRESETS[re.sub(r"(?<=[a-z])(?=[A-Z])", "-", preset).lower()]
    cost_s = airtime_s(modem, ALERT_BYTES + DATA_BYTES)
    assert (f"{cost_s:.2f}", str(int(6.0 / cost_s))) == (once, alerts)
    assert f"{flood_s(modem, ALERT_BYTES + DATA_BYTES, 3):.2f}" == flooded


def test_the_known_answer_on_the_page() -> None:
    header = Header(purpose="live", key_id=3, sender=0, counter=0x01020304)
    frame = Sealer(alert_key(bytes(range(32)))).seal(header, bytes(range(13)))
    written = re.search(r"^    ([0-9a-f]{14} [0-9a-f]{26} [0-9a-f]{16})$", PAGE, re.MULTILINE)
    assert written is not None
    assert bytes.fromhex(written[1]) == frame


@pytest.mark.parametrize(
    "words",
    [
        f"A frame of {ALERT_BYTES} bytes",
        f"{FIRST_PAUSE_S:g} s, then ever more slowly, every {LONGEST_PAUSE_S:g} s at most",
        f"WARNING the last {RESERVES['warning']:.0%}".replace("%", " %"),
        f"a repeat the last {RESERVES['imminent']:.0%}".replace("%", " %"),
        f"a block of {BLOCK} is reserved",
        f"opens {MOST_PER_S} frames a second",
    ],
)
def test_figures_on_the_page_are_those_of_the_code(words: str) -> None:
    assert words in FLAT


def test_four_numbers_a_second() -> None:
    assert PER_S == 4
    assert "four times the seconds since 2025" in FLAT
