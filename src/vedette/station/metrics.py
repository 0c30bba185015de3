"""Prometheus text of a station: stages, feeds, record, tracks and alerts."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from vedette.station.station import Station


def exposition(station: Station) -> bytes:
    """Text exposition format 0.0.4 of the figures now."""
    registry = CollectorRegistry()
    registry.register(_Figures(station))
    return generate_latest(registry) + generate_latest(station.stages.registry)


class _Figures(Collector):
    """The picture as gauges, read when it is asked for."""

    def __init__(self, station: Station) -> None:
        self._station = station

    def collect(self) -> Iterator[Metric]:
        """All gauges, as they stand now."""
        view = self._station.view()
        open_alerts = sum(item.alert.state != "cleared" for item in view.alerts)
        yield _gauge("tracks", "Confirmed tracks", len(view.tracks))
        yield _gauge("open_alerts", "Alerts that are not cleared", open_alerts)
        yield _gauge("record_good", "1 while the record is complete", view.record.state == "good")
        yield _gauge("record_waiting", "Events that wait in memory for the disk", view.record.waiting)
        yield _gauge(
            "record_unlogged", "Effects that went out before the disk had them", view.record.unlogged
        )
        watching = GaugeMetricFamily("vedette_feed_watching", "1 while the feed gives data", labels=["feed"])
        taken = GaugeMetricFamily("vedette_feed_detections", "Detections and reports taken", labels=["feed"])
        pace = GaugeMetricFamily("vedette_feed_heard_per_s", "Intact messages a second", labels=["feed"])
        behind = GaugeMetricFamily(
            "vedette_feed_behind_s", "How far its times are behind (s, negative = ahead)", labels=["feed"]
        )
        bad = GaugeMetricFamily("vedette_feed_bad", "Bad input put aside", labels=["feed", "reason"])
        for feed in view.feeds:
            watching.add_metric([feed.feed], float(feed.state in ("watching", "degraded")))
            taken.add_metric([feed.feed], float(feed.detections))
            pace.add_metric([feed.feed], feed.heard_per_s)
            if feed.behind_s is not None:
                behind.add_metric([feed.feed], feed.behind_s)
            for reason, count in feed.quarantined.items():
                bad.add_metric([feed.feed, reason], float(count))
        shed = GaugeMetricFamily("vedette_shed", "Items shed by bounded queues", labels=["what"])
        for what, count in view.shed.items():
            shed.add_metric([what], float(count))
        yield from (watching, taken, pace, behind, bad, shed)


def _gauge(name: str, words: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"vedette_{name}", words, value=float(value))
