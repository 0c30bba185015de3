"""ASTERIX messages of one feed -> Detections: radars, direction finders, system tracks, UAS identification.

A feed carries many sources, told apart by SAC and SIC; each is a sensor of its own, ``NAME-sac-sic`` with
three digits each, with a clock, turns and a place of its own (`asterix_source`). What becomes of each
category stands in `asterix_measures`. Anybody who can send to the socket can be any source: nothing here
is authenticated, an address of a transponder is a claim, and class beliefs are weak.
"""

import math
from collections import Counter
from collections.abc import Collection, Iterable
from typing import NamedTuple

from msgspec import Struct, structs

from vedette.model import Bearing, Detection, Integrity, RangeBearing, SensorProfile, Sigma
from vedette.sense.asterix_measures import Said, Ways, said
from vedette.sense.asterix_source import Source
from vedette.sense.clocks import Timed
from vedette.sense.quality import Quality
from vedette.wire.asterix import Message, RadarService

MOST_SOURCES = 32
"""Sources of one feed; further ones are counted. Where others can send, name yours."""
UNKNOWN_SPEED_MPS = 30.0
"""What something may fly at whose speed is not known, for what a doubtful time makes of its place."""
UNSURE = Sigma(horizontal_m=100.0, range_m=100.0, azimuth_deg=1.5)
"""One-sigma of what states no accuracy while its time is doubtful: no radar worth the name is worse, so
that the doubt never makes a plot look better than its sensor."""
UNSURE_BEARING_DEG = 3.0

QUALITY = Quality(
    name="ASTERIX radars, direction finders, system tracks, UAS identification",
    standard="EUROCONTROL-SPEC-0149: CAT048 1.32, 034 1.29, 062 1.21, 015 1.2, 205 1.0, 129 1.2",
    schemes=("asterix+udp", "asterix+pcap"),
    tested=(
        "recording of seven radars, 2016 (128 CAT048, 34 CAT034)",
        "pre-standard CAT062 recording, 2008 (refused whole)",
        "Wireshark's dissector",
    ),
    encoder="all six categories",
    fuzzer="fuzz_asterix.py",
    bench="asterix",
    uncovered=(
        "CAT129 is our own reading of the text, tested with our own encoder only, and off unless asked for",
        "no recording of CAT015, CAT205 or CAT062 of a valid edition was to be had",
        "the sign of Doppler speeds is not stated: unused unless the feed says doppler=",
        "other categories (001, 002, 004, 008, 010, 020, 021, 023, 063, 065) are counted and not read",
        "bistatic ranges; Cartesian positions of systems whose reference point is not sent",
    ),
)


class SourceId(NamedTuple):
    """System area code and system identification code, each 0 to 255."""

    sac: int
    sic: int

    @property
    def part(self) -> str:
        """As in the name of a feed's part."""
        return f"{self.sac:03d}-{self.sic:03d}"


class Heard(Struct, frozen=True):
    """One intact message of one source. ``sent``: its own time; ``detection`` and ``profile`` if it gave
    any. All times on the receiver's scale."""

    source: SourceId
    sent: float | None
    detection: Detection | None = None
    profile: SensorProfile | None = None


class AsterixAdapter:
    """Messages of one feed. ``counts`` says what became of each: by category (``cat048``), ``detections``,
    ``duplicate``, ``other-source``, ``too-many-sources``, ``not-operational``, ``clock-off``, ``no-time``,
    and the reasons of `asterix_measures.said`. A message has one category and one fate; ``clock-off`` and
    ``no-time`` are notes beside that."""

    def __init__(
        self,
        name: str,
        *,
        sources: Collection[SourceId] = (),
        uas: bool = False,
        doppler: int = 0,
        geoid_m: float | None = None,
    ) -> None:
        """``name`` begins the ids of sensors. ``sources``: those that are taken; none = all. ``uas``: read
        CAT129. ``doppler``, ``geoid_m``: see `Ways`."""
        self.counts: Counter[str] = Counter()
        self.sources: dict[SourceId, Source] = {}
        self._name = name
        self._allowed = frozenset(sources)
        self._ways = Ways(uas=uas, doppler=doppler, geoid_m=geoid_m)

    def take(self, messages: Iterable[Message], received: float) -> list[Heard]:
        """What the messages of a datagram bring; those of sources that are not taken are left out."""
        return [heard for message in messages if (heard := self._take(message, received)) is not None]

    def _take(self, message: Message, received: float) -> Heard | None:
        self.counts[f"cat{message.category:03d}"] += 1
        number = SourceId(message.sac, message.sic)
        source = self._source(number)
        if source is None:
            return None
        source.categories[message.category] = None
        sent = source.sent(message, received)
        if source.repeats(message):
            self.counts["duplicate"] += 1
            return Heard(number, sent)
        if isinstance(message, RadarService):
            source.serve(message, sent, received)
            self.counts["service"] += 1
            return Heard(number, sent, profile=source.news())
        detection = self._detection(message, source, sent, received)
        return Heard(number, sent, detection, None if detection is None else source.news())

    def _source(self, number: SourceId) -> Source | None:
        if self._allowed and number not in self._allowed:
            self.counts["other-source"] += 1
            return None
        if number not in self.sources:
            if len(self.sources) >= MOST_SOURCES:
                self.counts["too-many-sources"] += 1
                return None
            self.sources[number] = Source(f"{self._name}-{number.part}")
        return self.sources[number]

    def _detection(
        self, message: Message, source: Source, sent: float | None, received: float
    ) -> Detection | None:
        place = source.place
        ways = structs.replace(self._ways, height_m=None if place is None else place.height_m)
        found = "not-operational" if not source.operates(received) else said(message, ways)
        if isinstance(found, str):
            self.counts[found] += 1
            return None
        self.counts["detections"] += 1
        source.raised = source.raised or (
            isinstance(found.measure, RangeBearing) and found.measure.elevation_deg is not None
        )
        timed = source.timed(sent, received)
        if timed.sigma_s:
            self.counts["no-time" if sent is None else "clock-off"] += 1
        return Detection(
            time=timed.time,
            received=received,
            sensor=source.sensor + found.part,
            measure=found.measure,
            scan=source.scan(sent),
            sigma=doubted(found, timed),
            claim=found.claim,
            beliefs=found.beliefs,
            signal=found.signal,
            integrity=Integrity(authenticated=False),
            extra=found.extra,
        )


def doubted(found: Said, timed: Timed) -> Sigma | None:
    """The stated accuracies, wider by what the doubt about the time means for something that flies."""
    if not timed.sigma_s:
        return found.sigma
    stated = found.sigma or Sigma()
    way_m = (found.speed_mps or UNKNOWN_SPEED_MPS) * timed.sigma_s
    if isinstance(found.measure, RangeBearing):
        turn_deg = math.degrees(math.atan2(way_m, found.measure.range_m))
        return structs.replace(
            stated,
            range_m=math.hypot(stated.range_m or UNSURE.range_m or 0.0, way_m),
            azimuth_deg=math.hypot(stated.azimuth_deg or UNSURE.azimuth_deg or 0.0, turn_deg),
        )
    if isinstance(found.measure, Bearing):
        return structs.replace(stated, azimuth_deg=max(stated.azimuth_deg or 0.0, UNSURE_BEARING_DEG))
    return structs.replace(
        stated, horizontal_m=math.hypot(stated.horizontal_m or UNSURE.horizontal_m or 0.0, way_m)
    )
