"""The Prometheus text of a running station, read back by Prometheus's own parser."""

import asyncio
import socket
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families
from station_build import SITE

from vedette.station.assemble import assemble
from vedette.station.config import FeedConfig, StationConfig
from vedette.station.metrics import exposition

HOSTILE = 'evil"} 1\nvedette_open_alerts 99\\'


def samples(text: bytes) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    families = text_string_to_metric_families(text.decode())
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def test_the_figures_of_a_station(tmp_path: Path) -> None:
    feed = FeedConfig(name="rid", url="odid+udp://127.0.0.1:0?link=127")
    station = assemble(StationConfig(site=SITE, state=str(tmp_path / "state"), feed=(feed,)))
    (peer,) = station.peers
    told: list[bytes] = []

    async def live() -> None:
        task = asyncio.create_task(station.run())
        for _ in range(1500):
            if any(view.state == "watching" for view in station.view().feeds):
                break
            await asyncio.sleep(0.02)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"\xff" * 40, ("127.0.0.1", peer.port))
        for _ in range(1500):
            if station.view().feeds[0].quarantined:
                break
            await asyncio.sleep(0.02)
        station.quarantine("rid", HOSTILE, b"x")
        station.latency("sent", 0.02)
        told.append(exposition(station))
        station.feed("rid", "down", "pulled out")
        told.append(exposition(station))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(live())
    found, later = map(samples, told)
    rid = (("feed", "rid"),)
    assert found["vedette_tracks", ()] == 0.0
    assert found["vedette_open_alerts", ()] == 0.0
    assert found["vedette_record_good", ()] == 1.0
    assert found["vedette_record_unlogged", ()] == 0.0
    assert found["vedette_feed_watching", rid] == 1.0
    assert found["vedette_feed_detections", rid] == 0.0
    assert found["vedette_feed_bad", (("feed", "rid"), ("reason", HOSTILE))] == 1.0
    assert any(name == "vedette_feed_bad" and "malformed" in dict(labels)["reason"] for name, labels in found)
    assert found["vedette_stage_seconds_count", (("stage", "sent"),)] == 1.0
    assert found["vedette_stage_seconds_bucket", (("le", "0.02"), ("stage", "sent"))] == 1.0
    assert later["vedette_feed_watching", rid] == 0.0
