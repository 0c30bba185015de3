"""Detection lines of anybody's detector (DESIGN section 5, ``detections.jsonl``) -> Detections.

One JSON object a line, UTF-8, ended by a line feed. The sender is believed in nothing: a line is
bounded in length, its sensor must be one that the feed allows, its time must be one that can be, and
keys that the contract does not know are kept in ``extra`` only as far as they are short and name no
person.
"""

import re
from collections.abc import Callable, Collection

import msgspec

from vedette.model import Detection, InputError
from vedette.model.lines import LineReader
from vedette.sense.quality import Quality

QUALITY = Quality(
    name="Detection lines: anybody's detector",
    standard="our own: one JSON object a line (`docs/your-own-sensor.md`)",
    schemes=("lines", "lines+udp", "lines+tcp", "lines+tcp-listen"),
    tested=("our own ten lines of Python in `docs/your-own-sensor.md`, as a process of their own",),
    encoder="every key",
    fuzzer="fuzz_lines.py",
    bench="lines",
    uncovered=(
        "nobody is authenticated: use loopback, or a tunnel of your own",
        "no TLS",
    ),
)

LONGEST_LINE = 16 * 1024
"""Bytes of the longest line that is read; a detection with every key is under 1 kB."""
LONGEST_EXTRA = 4 * 1024
"""Bytes of unknown keys that are kept with one detection, as JSON."""
LONGEST_NAME = 64
"""Characters of the longest sensor name."""
LATEST_TIME_S = float(1 << 33)
"""The year 2242: a time beyond it is in other units than seconds."""
EARLY_S, LATE_S = -1.0, 8.0
"""A detection further from now than this says that the sensor's clock is off, or its line slow."""
MOST_KEYS_NAMED = 10
"""Unknown keys that are counted by name; anyone can invent names, so the others are counted together."""

_PEOPLE = ("operator", "pilot")
_PLACE = re.compile(r" - at (?:`key` in )?`(\$[^`]*)`$")
_VARIABLE = re.compile(r"\b\d+\b")
_KEY = re.compile(r"[A-Za-z_][\w.]{0,39}", re.ASCII)


class LineSplitter:
    """Bytes as they come -> whole lines. ``too_long`` counts lines beyond ``longest``, which are skipped."""

    def __init__(self, longest: int = LONGEST_LINE) -> None:
        self.too_long = 0
        self._longest = longest
        self._begun = bytearray()
        self._skipping = False

    @property
    def partial(self) -> bool:
        """True inside a line whose end has not come yet."""
        return self._skipping or bool(self._begun)

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that these bytes complete, without their ends."""
        *ended, rest = data.split(b"\n")
        lines = [line for part in ended if (line := self._complete(part)) is not None]
        self._extend(rest)
        return lines

    def end(self) -> list[bytes]:
        """What is left when nothing more comes: a last line may lack its end."""
        line = self._complete(b"")
        return [line] if line else []

    def _complete(self, part: bytes) -> bytes | None:
        self._extend(part)
        skipped, self._skipping = self._skipping, False
        line = bytes(self._begun)
        self._begun.clear()
        return None if skipped else line

    def _extend(self, part: bytes) -> None:
        if self._skipping:
            return
        if len(self._begun) + len(part) > self._longest:
            self._begun.clear()
            self._skipping = True
            self.too_long += 1
        else:
            self._begun += part


class LineAdapter:
    """Lines of one feed -> Detections.

    ``sensors``: the names that the feed may speak for; empty = any. ``refused`` takes the reason and the
    bytes of a line that cannot be used, ``noted`` what is worth knowing of one that can.
    """

    def __init__(
        self,
        sensors: Collection[str],
        refused: Callable[[str, bytes], None],
        noted: Callable[[str], None],
    ) -> None:
        self._sensors = frozenset(sensors)
        self._refused = refused
        self._noted = noted
        self._reader = LineReader(Detection, "line")
        self._named: set[str] = set()

    def detection(self, line: bytes) -> Detection | None:
        """One line -> its detection with the times of the line; None if it is blank or refused."""
        if not line.strip():
            return None
        if len(line) > LONGEST_LINE:
            return self._refused_for("line-too-long", line)
        try:
            detection = self._reader.parse(line)
        except InputError as error:
            return self._refused_for(_reason(str(error)), line)
        except (TypeError, ValueError, OverflowError, RecursionError):
            return self._refused_for("malformed: a number is out of range", line)
        reason = self._fault(detection)
        if reason is not None:
            return self._refused_for(reason, line)
        self._note_unknown()
        return self._trimmed(detection)

    def on_clock(self, detection: Detection, time: float, now: float) -> Detection:
        """A live detection in station time: ``time`` is its own, ``now`` its reception. One far from now
        is noted; what it is still worth is the tracker's decision."""
        if not EARLY_S <= now - time <= LATE_S:
            self._noted("clock-off")
        return msgspec.structs.replace(detection, time=time, received=now)

    def _refused_for(self, reason: str, line: bytes) -> Detection | None:
        self._reader.unknown.clear()
        self._refused(reason, line)
        return None

    def _fault(self, detection: Detection) -> str | None:
        """Why a well-formed detection cannot be used."""
        name = detection.sensor
        if not name.strip() or not name.isprintable() or len(name) > LONGEST_NAME:
            return f"malformed: sensor must be 1 to {LONGEST_NAME} printable characters"
        if self._sensors and name not in self._sensors:
            return "sensor-not-allowed"
        if not 0.0 < detection.time < LATEST_TIME_S:
            return "time-impossible: not seconds since 1970"
        return None

    def _note_unknown(self) -> None:
        for key, count in self._reader.unknown.items():
            name = self._counted_as(key)
            for _ in range(count):
                self._noted(name)
        self._reader.unknown.clear()

    def _counted_as(self, key: str) -> str:
        if key not in self._named:
            if len(self._named) >= MOST_KEYS_NAMED or _KEY.fullmatch(key) is None:
                return "unknown-key:others"
            self._named.add(key)
        return f"unknown-key:{key}"

    def _trimmed(self, detection: Detection) -> Detection:
        """Without unknown keys about people (their places are sealed apart, or not kept at all) and
        without more of the others than anybody needs."""
        if not detection.extra:
            return detection
        extra = {key: value for key, value in detection.extra.items() if not _of_people(key, value)}
        if len(extra) < len(detection.extra):
            self._noted("people-key-dropped")
        if len(msgspec.json.encode(extra)) > LONGEST_EXTRA:
            self._noted("extra-too-large")
            extra = {}
        return msgspec.structs.replace(detection, extra=extra or None)


def _of_people(key: str, value: object) -> bool:
    text = key.lower() + msgspec.json.encode(value).decode("utf-8", "replace").lower()
    return any(word in text for word in _PEOPLE)


def _reason(message: str) -> str:
    """A reader's error as one of few reasons: what an attacker chose to write must not be in it."""
    if message.startswith("not JSON"):
        return "not-json"
    if message.startswith("Invalid"):
        place = _PLACE.search(message)
        return f"malformed: invalid value at {place[1] if place else '$'}"
    return "malformed: " + _VARIABLE.sub("N", message)
