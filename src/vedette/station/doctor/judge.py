"""From what was heard to findings: what comes, what is wrong with it, and what to do."""

from collections import Counter
from collections.abc import Iterator, Sequence

from vedette.station.config import StationConfig
from vedette.station.doctor.ear import DOCTOR, Ear, needs_a_place
from vedette.station.doctor.findings import Finding, Verdict
from vedette.station.doctor.listen import Heard
from vedette.station.doctor.look import REMOTE_ID_CHANNELS, address_of
from vedette.station.doctor.sample import Sample
from vedette.station.formats import WORDS
from vedette.station.peers._udp_socket import is_group
from vedette.station.peers.registry import FACTORIES
from vedette.station.view import FeedView

NAMED = 6
"""Sensors and reasons that are named; the others are counted."""
UNUSABLE = "nothing of it can be used"
EXPECTED: dict[str, frozenset[str]] = {
    "odid": frozenset({"radiotap", "wifi", "bluetooth", "capture"}),
    "lines": frozenset({"lines"}),
    "beast": frozenset({"beast"}),
    "sbs": frozenset({"sbs"}),
    "aircraft": frozenset({"aircraft-json", "http"}),
    "asterix": frozenset({"asterix"}),
    "sapient": frozenset({"sapient"}),
    "cot": frozenset({"cot", "tak"}),
}
"""Family of schemes (before the ``+``) -> the formats that it reads."""
FAMILY = {looks: family for family, formats in EXPECTED.items() for looks in formats if looks != "http"}
QUIET_BY_NATURE = ("odid", "lines", "raw", "sim")
"""Families whose senders say nothing while there is nothing to say."""
FARTHEST_HEARD_M = 100_000.0
"""No receiver near the ground hears Remote ID from beyond."""
CLAIMED = {"icao": "aircraft"}
"""Claim schemes that are not of drones."""

ADVICE = (
    ("messages refused", "compare what is sent with the format of this feed (docs/feeds.md)"),
    ("local time", "set the sender to UTC"),
    ("time-absurd", "set the sender's clock: its times are days off"),
    ("times stand still", "restart the sender"),
    (
        "clock",
        "set the sender's clock (chrony, with GPS where there is no network), and see the station's own",
    ),
    ("shed", "does the sender repeat itself, or does somebody flood it? Name only the sender's network"),
    ("flood", "does the sender repeat itself, or does somebody flood it? Name only the sender's network"),
    ("edition", "set the sensor to the edition that docs/feeds.md names"),
    ("icd", "set the sensor to the edition that docs/feeds.md names"),
    ("version", "set the sensor to the version that docs/feeds.md names"),
    ("regist", "the node must register, and be accepted, before it reports: see its own log"),
    (
        "geoid_height_m",
        "write geoid_height_m (how far mean sea level, EGM96, lies above the ellipsoid there) under [site]:"
        " until then nothing of this sensor is placed",
    ),
    ("no such file", "is the path right? It counts from the folder of the configuration file"),
    ("link-type", "the capture is of another kind of network than this feed reads: choose the scheme for it"),
    ("no position", "set the sensor's place, or write a [[sensor]] with its id"),
    (
        "not valid for",
        "write the name that stands in the server's certificate into the address (and let this machine know"
        " it, for example in /etc/hosts), or have the certificate made for this name",
    ),
    ("certificate", "see the finding about this feed's TLS, and the administrator of the other side"),
    ("connection refused", "nothing listens there: does the program run, on this port?"),
    ("cannot listen", "another program has this port, or this machine has not that address"),
    ("cannot connect", "check the address, the cable, the firewall, and that the other side runs"),
    ("sensor-not-allowed", "its sensor's name is not among ?sensor= of this feed"),
    ("not-json", "each line must be one JSON object: see docs/your-own-sensor.md"),
    ("malformed", "what is sent breaks the format at the place that is named"),
)
"""Part of the words -> what to do; the first that fits."""


def judge(config: StationConfig, heard: Sequence[Heard]) -> Iterator[Finding]:
    """Each feed in turn, then what only shows when they are seen together."""
    for one in heard:
        yield from _feed(config, one)
    yield from _twice(heard)
    yield from _silent(config, heard)


def told(view: FeedView) -> Finding:
    """A feed in the words of a running station."""
    words = [
        view.state,
        view.reason,
        f"{view.detections} taken" if view.senses or view.detections else None,
        f"{view.heard_per_s:g} messages/s" if view.heard_per_s else None,
        _refused(view.quarantined),
    ]
    verdicts: dict[str, Verdict] = {"watching": "good", "down": "bad", "deaf": "bad"}
    verdict = verdicts.get(view.state, "warning")
    advice = (
        ""
        if verdict == "good"
        else _advice(view.reason or "") or "check the receiver, its cable and its address"
    )
    return Finding(check=f"feed {view.feed}", verdict=verdict, found=_joined(words), advice=advice)


def _feed(config: StationConfig, one: Heard) -> Iterator[Finding]:
    name, ear = f"heard {one.feed.name}", one.ear
    if one.failed is not None:
        advice = "this is a fault of the program: please report it; the other feeds go on"
        yield Finding(
            check=name, verdict="bad", found=f"its part of the program failed: {one.failed}", advice=advice
        )
        return
    views = ear.views()
    if ear.detections_heard:
        yield Finding(check=name, verdict="good", found=_summary(one))
    elif not ear.senses or _family(one.feed.url) == "cot":
        yield _foreign(name, one) or _connection(name, one)
    else:
        yield _nothing_seen(name, one)
    for view in views:
        yield from _troubles(view, ear)
    yield from _far(name, one)
    yield from _unplaced(config, name, ear)


def _summary(one: Heard) -> str:
    ear = one.ear
    count = ear.detections_heard
    kinds = ", ".join(f"{number} {kind}" for kind, number in ear.kinds.most_common())
    sensors = _named(sorted(sensor.removesuffix(DOCTOR) for sensor in ear.sensors))
    per_s = count / max(one.seconds, 1e-3)
    rate = f"{count} detection{_s(count)} in {one.seconds:.0f} s ({per_s:.1f}/s): {kinds}"
    claims = Counter({"drone": 0, "aircraft": 0})
    for scheme, names in ear.claims.items():
        claims[CLAIMED.get(scheme, "drone")] += len(names)
    who = [
        f"{claims['drone']} drone{_s(claims['drone'])}" if claims["drone"] else "",
        f"{claims['aircraft']} aircraft" if claims["aircraft"] else "",
    ]
    by_claim = " and ".join(filter(None, who))
    far = ""
    if ear.nearest_m is not None and ear.farthest_m is not None:
        near, far = _distance(ear.nearest_m), _distance(ear.farthest_m)
        far = f"{near} away" if near == far else f"{near} to {far} away"
    units = f"{len(ear.units)} unit{_s(len(ear.units))} reported" if ear.units else ""
    return _joined(
        [
            rate,
            f"sensor{_s(len(ear.sensors))} {sensors}",
            by_claim and f"{by_claim} by their own claim",
            far,
            units,
        ]
    )


def _connection(name: str, one: Heard) -> Finding:
    """A feed that brings no detections: phones, a TAK server, a parent."""
    view, units = one.ear.views()[0], len(one.ear.units)
    if one.sample is not None and one.sample.tls:
        found, advice = _why_silent(one)
        return Finding(check=name, verdict="bad", found=found, advice=advice)
    people = f"{units} unit{_s(units)} reported" if _family(one.feed.url) == "cot" else ""
    words = [view.state, view.reason, people, _refused(view.quarantined)]
    if view.state in ("watching", "degraded"):
        return Finding(check=name, verdict="good", found=_joined(words))
    advice = _advice(view.reason or "") or "check the address, and that the other side runs"
    return Finding(
        check=name, verdict="bad" if view.state == "down" else "warning", found=_joined(words), advice=advice
    )


def _nothing_seen(name: str, one: Heard) -> Finding:
    """A sensing feed without a detection: why."""
    view = one.ear.views()[0]
    if view.state == "down" and not (one.sample is not None and (one.sample.tls or one.sample.looks)):
        advice = _advice(view.reason or "") or "check the address, the cable and the other side"
        return Finding(check=name, verdict="bad", found=f"down: {view.reason}", advice=advice)
    return (
        _wrong_link(name, one)
        or _foreign(name, one)
        or _damaged(name, one)
        or _quiet(name, one)
        or _refused_all(name, one)
        or _silence(name, one)
    )


def _wrong_link(name: str, one: Heard) -> Finding | None:
    """Frames of Remote ID's receivers that come with another link type than the feed was told."""
    if one.sample is None or not one.sample.frames:
        return None
    found = {link: counts.get("odid-frames", 0) for link, counts in one.sample.frames.items()}
    best = max(found, key=lambda link: found[link])
    link = _link(one)
    if not found[best] or found.get(link):
        return None
    return Finding(
        check=name,
        verdict="bad",
        found=f"frames with Remote ID come, as link type {best}; this feed takes them for {link}",
        advice=f"write ?link={best} into its address",
    )


def _foreign(name: str, one: Heard) -> Finding | None:
    """Bytes that look like something else than what the feed reads."""
    looks = _looks(one)
    family = _family(one.feed.url)
    if looks is None or looks in EXPECTED.get(family, {looks}):
        return None
    return Finding(
        check=name,
        verdict="bad",
        found=f"{_amount(one)}, and {UNUSABLE}: this looks like {WORDS[looks]} on a feed for {family}",
        advice=_other_scheme(one.feed.url, looks),
    )


def _damaged(name: str, one: Heard) -> Finding | None:
    """Frames with bad check sums and no good ones."""
    counts = _all_refused(one)
    damaged = sum(count for reason, count in counts.items() if "crc" in reason)
    if not damaged or damaged < counts.total() or one.ear.intact:
        return None
    return Finding(
        check=name,
        verdict="warning",
        found=f"{damaged} frames came, all of them damaged (bad check sums)",
        advice="the sender is far or disturbed: is the aerial connected, and does the receiver listen on the"
        " right channel and PHY (Bluetooth: legacy 1M and coded)?",
    )


def _quiet(name: str, one: Heard) -> Finding | None:
    """Intact messages and no detection."""
    intact = one.ear.intact
    if not intact:
        return None
    if _family(one.feed.url) == "odid":
        return Finding(
            check=name,
            verdict="warning",
            found=f"{intact} intact frame{_s(intact)} and no Remote ID among them: the receiver works, and no"
            " drone that says so is near, or it listens beside them",
            advice=REMOTE_ID_CHANNELS,
        )
    found = f"{intact} intact message{_s(intact)} in {one.seconds:.0f} s, no detection among them"
    return Finding(check=name, verdict="good", found=f"{found}: it hears, and sees nothing now")


def _refused_all(name: str, one: Heard) -> Finding | None:
    counts = _all_refused(one)
    if not counts and (one.sample is None or not one.sample.octets):
        return None
    words = _refused(counts)
    return Finding(
        check=name,
        verdict="bad",
        found=_joined([f"{_amount(one)}, and {UNUSABLE}", words]),
        advice=_advice(words) or "compare what is sent with the format of this feed (docs/feeds.md)",
    )


def _silence(name: str, one: Heard) -> Finding:
    """Nothing came at all."""
    view = one.ear.views()[0]
    may_be_quiet = _family(one.feed.url) in QUIET_BY_NATURE and not (one.sample and one.sample.tls)
    verdict: Verdict = "warning" if may_be_quiet else "bad"
    if view.state == "ended":
        return Finding(
            check=name,
            verdict="warning",
            found=f"ended without a detection: {view.reason}",
            advice="check that it is the right file",
        )
    found, advice = _why_silent(one)
    return Finding(check=name, verdict=verdict, found=f"{found} in {one.seconds:.0f} s", advice=advice)


def _why_silent(one: Heard) -> tuple[str, str]:
    address = address_of(one.feed.url)
    sample = one.sample or Sample()
    if _family(one.feed.url) == "sim":
        return "nothing of the scenario was heard", "its drones come later: listen longer"
    if address is None:
        return "nothing came", "does the program run that writes it?"
    if not address.listens:
        if sample.tls:
            return "connected, and nothing is said in plain: that port speaks TLS", _other_scheme(
                one.feed.url, "tls"
            )
        return (
            "connected, and nothing was said",
            "does that program have its own source, and is this the right port?",
        )
    if is_group(address.host):
        return f"no packet of group {address.host}:{address.port} came", (
            "is ?iface= the address by which this machine is on the sensor's network? Switches with IGMP"
            " snooping and firewalls drop groups, too"
        )
    what = (
        "no packet came"
        if address.way == "udp"
        else "nobody who connected said anything"
        if sample.connected
        else "nobody connected"
    )
    if address.host in ("127.0.0.1", "localhost", "::1"):
        return f"{what} ({address.host} port {address.port})", (
            "this feed listens on this machine only: for a sender elsewhere, write the address of this"
            " machine on the sensor's network; for one here, does it send to this port?"
        )
    return f"{what} ({address.host} port {address.port})", (
        "does the sender have this address and port, and does a firewall let it through (nft list ruleset)?"
    )


def _troubles(view: FeedView, ear: Ear) -> Iterator[Finding]:
    """What is wrong with a feed, or a part of it, that gives data."""
    name = f"heard {view.feed}"
    said_already = not ear.detections_heard and not ear.intact
    for words in view.troubles:
        if said_already and "messages refused" in words:
            continue
        yield Finding(
            check=name, verdict="warning", found=words, advice=_advice(words) or "see the sensor's own log"
        )
    flooded = sum(count for reason, count in view.quarantined.items() if reason.startswith("flooded"))
    if flooded and not any("shed" in words for words in view.troubles):
        yield Finding(
            check=name,
            verdict="warning",
            found=f"more comes than can be read: {flooded} shed",
            advice=_advice("flood"),
        )
    with_its_feed = view.state == "ended" and ear.views()[0].state == "ended"
    if view.feed != ear.feed_name and view.state in ("down", "deaf", "ended") and not with_its_feed:
        words = view.reason or view.state
        yield Finding(
            check=name,
            verdict="bad" if view.state != "ended" else "warning",
            found=f"{view.state}: {words}",
            advice=_advice(words) or "see that sensor's own log",
        )


def _far(name: str, one: Heard) -> Iterator[Finding]:
    """Drones that a receiver cannot have heard from where the site is said to be."""
    nearest = one.ear.nearest_m
    if _family(one.feed.url) != "odid" or nearest is None or nearest < FARTHEST_HEARD_M:
        return
    yield Finding(
        check=name,
        verdict="warning",
        found=f"all it hears says that it is {_distance(nearest)} away, farther than a receiver hears",
        advice="is the place under [site] right? If it is, this is a recording made elsewhere, or a lie",
    )


def _unplaced(config: StationConfig, name: str, ear: Ear) -> Iterator[Finding]:
    """Sensors whose reports mean nothing because nobody said where they stand."""
    known = {sensor.id for sensor in config.sensor} | set(ear.profiles)
    lost = sorted(
        sensor for sensor, kinds in ear.sensors.items() if sensor not in known and needs_a_place(kinds)
    )
    if lost:
        yield Finding(
            check=name,
            verdict="bad",
            found=f"sensor{_s(len(lost))} {_named(lost)}: reports in polar form, which cannot be placed",
            advice="write a [[sensor]] with that id into the configuration: where it stands and what it sees",
        )


def _twice(heard: Sequence[Heard]) -> Iterator[Finding]:
    """Sensors that speak through two feeds: counted twice, their reports would seem to agree."""
    feeds: dict[str, list[str]] = {}
    for one in heard:
        for sensor in one.ear.sensors:
            feeds.setdefault(sensor, []).append(one.feed.name)
    for sensor, names in sorted(feeds.items()):
        if len(names) > 1:
            yield Finding(
                check="sensors",
                verdict="warning",
                found=f"sensor {sensor} speaks through the feeds {_named(names)}",
                advice="two sensors must not share a name, nor one come twice: rename it, or remove a feed",
            )


def _silent(config: StationConfig, heard: Sequence[Heard]) -> Iterator[Finding]:
    """Sensors of the configuration that said nothing through any feed."""
    if not heard or not config.sensor:
        return
    spoke = {sensor for one in heard for sensor in one.ear.sensors}
    spoke |= {one.feed.name for one in heard if one.ear.intact}
    silent = [sensor.id for sensor in config.sensor if sensor.id not in spoke]
    if silent:
        yield Finding(
            check="sensors",
            verdict="warning",
            found=f"configured and not heard: {_named(silent)}",
            advice="is the id the name that the sensor itself uses, and does a feed bring it?",
        )


def _looks(one: Heard) -> str | None:
    """What the refused bytes, or else the sampled ones, look like."""
    looks = Counter(one.ear.looks) or Counter(one.sample.looks if one.sample else {})
    return looks.most_common(1)[0][0] if looks else None


def _amount(one: Heard) -> str:
    refused = _all_refused(one).total()
    if refused:
        return f"{refused} message{_s(refused)} came"
    sample = one.sample or Sample()
    if sample.messages:
        return f"{sample.messages} packet{_s(sample.messages)} came"
    return f"{sample.octets} bytes came"


def _all_refused(one: Heard) -> Counter[str]:
    return sum((Counter(view.quarantined) for view in one.ear.views()), Counter[str]())


def _refused(counts: dict[str, int]) -> str:
    words = [f"{reason} {count}" for reason, count in Counter(counts).most_common(NAMED)]
    more = f" and {len(counts) - NAMED} other reasons" if len(counts) > NAMED else ""
    return f"put aside: {', '.join(words)}{more}" if words else ""


def _family(url: str) -> str:
    return url.partition(":")[0].partition("+")[0]


def _link(one: Heard) -> int:
    query = one.feed.url.partition("?")[2]
    said = next((part.partition("=")[2] for part in query.split("&") if part.startswith("link=")), "127")
    return int(said) if said.isdigit() else 127


def _other_scheme(url: str, looks: str) -> str:
    """Which scheme of this station reads what came."""
    scheme = url.partition(":")[0]
    family, _, way = scheme.partition("+")
    if looks == "tls":
        secure = scheme.replace("tcp", "tls")
        known = f"write {secure} instead of {scheme}, with certificates" if secure in FACTORIES else ""
        return known or "let the other side send in plain, over a cable or a tunnel of your own"
    wanted = FAMILY.get(looks)
    fitting = sorted(
        name
        for name in FACTORIES
        if wanted is not None and name.partition("+")[0].partition(":")[0] == wanted
    )
    if f"{wanted}+{way}" in fitting:
        return f"write {wanted}+{way} instead of {scheme}, or let {family} come here"
    if fitting:
        return f"feeds for that are {', '.join(fitting)}"
    return "no feed of this station reads that: check what the other side sends, and to which port"


def _advice(words: str) -> str:
    lower = words.lower()
    return next((advice for part, advice in ADVICE if part in lower), "")


def _named(names: Sequence[str]) -> str:
    shown = ", ".join(name[:64] for name in names[:NAMED])
    return shown + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")


def _joined(words: Sequence[str | None]) -> str:
    return "; ".join(word for word in words if word)


def _distance(metres: float) -> str:
    return f"{metres:.0f} m" if metres < 1000.0 else f"{metres / 1000.0:.1f} km"


def _s(count: int) -> str:
    return "" if count == 1 else "s"
