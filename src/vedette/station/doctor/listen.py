"""The real peers of a configuration, side by side, each beside a hub that only counts.

A doctor must not pass for the station: towards TAK servers and phones it calls itself with `DOCTOR` behind
the station's names, publishes no track, and its keys are not the station's. It never sends an alert, since
its hub has none.
"""

import asyncio
import contextlib
import hashlib
import signal
from collections.abc import Callable, Sequence
from urllib.parse import parse_qsl, urlencode

import msgspec

from vedette.sense import remote_id
from vedette.station.config import FeedConfig, StationConfig
from vedette.station.doctor.ear import DOCTOR, Ear
from vedette.station.doctor.sample import Sample, take_sample
from vedette.station.peers.registry import Keys, make_peer
from vedette.station.ports import Peer

TURN_S = 0.2
END_S = 3.0
"""How long peers may take to say goodbye."""
MOST_SAMPLE_S = 4.0
LONGEST_NAME = 80 - len(DOCTOR)
"""Of a SAPIENT node."""
PARENTS = ("sapient+tcp:", "sapient+tls:")

Tell = Callable[[float, Sequence[Ear]], None]
"""Seconds that are left, and what was heard until now."""


class Heard(msgspec.Struct, frozen=True):
    """What came of one feed: by its peer, and, where that made nothing of it, as plain bytes."""

    feed: FeedConfig
    ear: Ear
    seconds: float
    failed: str | None = None
    """The peer itself failed: a fault of the program, not of the feed."""
    sample: Sample | None = None


def listen(
    config: StationConfig, feeds: Sequence[FeedConfig], seconds: float, tell: Tell | None = None
) -> list[Heard]:
    """Run the peers of ``feeds`` for ``seconds``; Ctrl-C ends it early with what is known."""
    if any(feed.url.startswith(("odid", "sim")) for feed in feeds):
        remote_id.warm()  # compiling takes seconds, in which the loop would hear nothing
    return asyncio.run(_listen(config, feeds, seconds, tell))


def disguised(feed: FeedConfig) -> FeedConfig:
    """The feed as a doctor connects to it: under names that are not the station's. Receivers keep the name,
    which may be the name of their sensor."""
    return msgspec.structs.replace(
        feed,
        name=feed.name + DOCTOR if feed.url.startswith("cot+") else feed.name,
        url=_of_another_node(feed.url) if feed.url.startswith(PARENTS) else feed.url,
        callsign=feed.callsign + DOCTOR,
        publish_tracks=False,
    )


def _of_another_node(url: str) -> str:
    """Towards a SAPIENT parent: another node's name, and never the station's own id."""
    address, _, query = url.partition("?")
    options = [(key, value) for key, value in parse_qsl(query, keep_blank_values=True) if key != "node"]
    name = dict(options).get("name", "VEDETTE")[:LONGEST_NAME] + DOCTOR
    kept = [(key, value) for key, value in options if key != "name"]
    return f"{address}?{urlencode([*kept, ('name', name)])}"


async def _listen(
    config: StationConfig, feeds: Sequence[FeedConfig], seconds: float, tell: Tell | None
) -> list[Heard]:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    with contextlib.suppress(RuntimeError, ValueError):
        loop.add_signal_handler(signal.SIGINT, stop.set)
    keys = Keys(receipts=hashlib.sha256(f"doctor of {config.site.name}".encode()).digest())
    peers = [make_peer(disguised(feed), keys) for feed in feeds]
    ears = [
        Ear(config, feed.name, peer.name, bool(peer.senses)) for feed, peer in zip(feeds, peers, strict=True)
    ]
    began = loop.time()
    failures = await _run(peers, ears, seconds, stop, tell)
    heard = [
        Heard(feed, ear, loop.time() - began, failed)
        for feed, ear, failed in zip(feeds, ears, failures, strict=True)
    ]
    if stop.is_set():
        return heard
    if tell is not None:
        tell(0.0, ears)
    return await asyncio.gather(*(_sampled(one, min(seconds, MOST_SAMPLE_S)) for one in heard))


async def _run(
    peers: Sequence[Peer], ears: Sequence[Ear], seconds: float, stop: asyncio.Event, tell: Tell | None
) -> list[str | None]:
    """Let them run; how each failed, if it did."""
    loop = asyncio.get_running_loop()
    works = [asyncio.create_task(peer.run(ear)) for peer, ear in zip(peers, ears, strict=True)]
    until = loop.time() + seconds
    while (left_s := until - loop.time()) > 0.0 and not stop.is_set():
        if tell is not None:
            tell(left_s, ears)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), min(TURN_S, left_s))
    for ear in ears:
        ear.close()
    for work in works:
        work.cancel()
    await asyncio.wait(works, timeout=END_S)
    return [_failure(work) for work in works]


def _failure(work: "asyncio.Task[None]") -> str | None:
    if not work.done() or work.cancelled():
        return None
    error = work.exception()
    return None if error is None else f"{type(error).__name__}: {error}"[:200]


def _is_a_riddle(heard: Heard) -> bool:
    """Whether the feed's own bytes could tell more. Remote ID's peer takes strangers' frames for signs of
    life, and so whatever comes on a wrong link; by UDP, a peer knows of every packet that came."""
    ear = heard.ear
    if ear.detections_heard or ear.looks or ear.units:
        return False
    if "+udp" in heard.feed.url:
        came = ear.intact or any(view.quarantined for view in ear.views())
        return bool(came) and (not ear.intact or heard.feed.url.startswith("odid"))
    return not ear.intact


async def _sampled(heard: Heard, seconds: float) -> Heard:
    """Where a sensing peer made nothing of what came, the bytes themselves are looked at."""
    if heard.failed is not None or not _is_a_riddle(heard):
        return heard
    sample = await take_sample(heard.feed, seconds)
    return msgspec.structs.replace(heard, sample=sample)
