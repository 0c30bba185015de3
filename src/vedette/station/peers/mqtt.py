"""An MQTT broker: ``mqtt://HOST:PORT`` (this machine only, unless ``plain=1``) or ``mqtts://HOST:PORT``.

Published, never subscribed to. Below ``vedette/NODE``: ``station`` (online, or offline by the broker's will),
``state`` and ``siren`` of the site, ``unit/UNIT/state`` and ``unit/UNIT/siren``, and for each message to a
recipient ``unit/UNIT/alert/ALERT``; all retained, QoS 1. An alert's topic is emptied when it ends, and the
broker forgets it when it expires, so that nothing old outlives a station that is gone.

The one receipt is ``accepted``: the broker has it. That says nothing of who listens there.
"""

import asyncio
import contextlib
import math
import random
import ssl
from collections import Counter
from urllib.parse import urlsplit

import msgspec

from vedette.express.home_assistant import Place, State, discovery, state_of, topic_level
from vedette.express.notice import notice_json
from vedette.model import Alert, ConfigError, Fact, Frame, Receipt
from vedette.model.event import Clear, Deliver
from vedette.station.config import FeedConfig
from vedette.station.peers._line_feed import is_loopback, options_of
from vedette.station.peers._mqtt_link import KEEP_ALIVE_S, MqttLink, open_link
from vedette.station.peers._outward import entry_of, notice_by
from vedette.station.peers._secrets import Login, login_of, tls_of
from vedette.station.ports import Hub, Peer
from vedette.wire import mqtt
from vedette.wire.errors import WireError

PORTS = {"mqtt": 1883, "mqtts": 8883}
LOOK_S = 0.25
"""How often the station is asked for news."""
SIGN_S = 5.0
AT_ONCE = 16
"""States that are under way to the broker at once: half of what may be, for alerts go beside them."""
OPTIONS = frozenset({"node", "discovery", "position", "drills", "plain"})


class MqttPeer:
    """Stays connected to one broker. ``drills``: an exercise or a test switches sirens too. ``quiet``: it
    connects and says nothing, for a look from outside. ``reconnect_s`` is the first and the longest pause
    between attempts; it doubles, varies by 20 %, and starts anew after a connection of ``stable_s``."""

    receipt_facts: tuple[Fact, ...] = ("accepted",)
    carries_position: bool = False

    def __init__(
        self,
        name: str,
        host: str,
        port: int,
        *,
        tls: ssl.SSLContext | None = None,
        login: Login | None = None,
        node: str | None = None,
        discovery_prefix: str | None = "homeassistant",
        carries_position: bool = False,
        drills: bool = False,
        quiet: bool = False,
        reconnect_s: tuple[float, float] = (5.0, 120.0),
        stable_s: float = 300.0,
        connect_timeout_s: float = 10.0,
        look_s: float = LOOK_S,
    ) -> None:
        self.name = name
        self.senses: tuple[str, ...] = ()
        self.carries_position = carries_position
        self.counts: Counter[str] = Counter()
        self._host, self._port, self._tls, self._login = host, port, tls, login
        self._node, self._discovery_prefix = node, discovery_prefix
        self._drills, self._quiet = drills, quiet
        self._reconnect_s, self._stable_s, self._connect_timeout_s = reconnect_s, stable_s, connect_timeout_s
        self._look_s = look_s
        self._hub: Hub | None = None
        self._link: MqttLink | None = None
        self._said: dict[str, bytes] = {}
        self._looked: tuple[int, tuple[Alert, ...]] | None = None

    async def run(self, hub: Hub) -> None:
        """Connect, say what stands, reconnect, until cancelled."""
        self._hub = hub
        now = asyncio.get_running_loop().time
        pause_s = self._reconnect_s[0]
        while True:
            hub.feed(self.name, "connecting", f"connecting to {self._where}")
            began = now()
            reason = await self._session(hub)
            if now() - began >= self._stable_s:
                pause_s = self._reconnect_s[0]
            wait_s = pause_s * random.uniform(0.8, 1.2)
            hub.feed(self.name, "down", f"{self._where}: {reason}; next attempt in {wait_s:.0f} s")
            await asyncio.sleep(wait_s)
            pause_s = min(2.0 * pause_s, self._reconnect_s[1])

    def reaches(self, unit: str) -> bool:
        """True for those on the roster while the broker is there."""
        hub = self._hub
        return self._link is not None and hub is not None and entry_of(hub, unit) is not None

    async def deliver(self, delivery: Deliver, recipient: str) -> None:
        """Publish one alert revision to one unit's topic. Raises ConnectionError."""
        hub, link = self._in_use()
        expires_s = math.ceil(delivery.alert.expires - hub.clock.now())
        await link.publish(self._message(hub, delivery, recipient, retain=True, expires_s=expires_s))
        self._accepted(hub, delivery, recipient)

    async def clear(self, clear: Clear, recipient: str) -> None:
        """Say that an alert ended, and take it off the unit's topic. Raises ConnectionError."""
        hub, link = self._in_use()
        said = self._message(hub, clear, recipient, retain=False, expires_s=None)
        await link.publish(said)
        await link.publish(mqtt.Message(said.topic, b"", retain=True))
        self._accepted(hub, clear, recipient)

    async def publish(self, frame: Frame) -> None:
        """Nothing: no track goes to a broker."""

    # Inside ---------------------------------------------------------------------------------------

    @property
    def _where(self) -> str:
        return f"MQTT broker {self._host}:{self._port}"

    def _place(self, hub: Hub) -> Place:
        node = topic_level(self._node or hub.site.name or "site")
        return Place(
            prefix=f"vedette/{node}",
            node=f"vedette_{node}",
            site=hub.site.name,
            discovery=self._discovery_prefix or "homeassistant",
        )

    def _in_use(self) -> tuple[Hub, MqttLink]:
        if self._hub is None or self._link is None:
            raise ConnectionError(f"peer {self.name} is not connected to {self._where}")
        return self._hub, self._link

    def _message(
        self, hub: Hub, message: Deliver | Clear, recipient: str, *, retain: bool, expires_s: int | None
    ) -> mqtt.Message:
        topic = self._place(hub).unit_alert(recipient, message.alert.alert)
        notice = notice_by(hub, message, recipient, carries_position=self.carries_position)
        return mqtt.Message(topic, notice_json(notice), retain, expires_s)

    def _accepted(self, hub: Hub, message: Deliver | Clear, recipient: str) -> None:
        self.counts["end" if isinstance(message, Clear) else "alert"] += 1
        alert = message.alert
        hub.receipt(
            Receipt(
                time=hub.clock.now(),
                alert=alert.alert,
                revision=alert.revision,
                recipient=recipient,
                channel=self.name,
                fact="accepted",
            )
        )

    async def _session(self, hub: Hub) -> str:
        """One connection from beginning to end; why it ended, in words."""
        place = self._place(hub)
        try:
            hello = self._hello(place)
            link = await open_link(self._host, self._port, self._tls, hello, self._connect_timeout_s)
        except TimeoutError:
            return f"no answer in {self._connect_timeout_s:g} s"
        except (OSError, WireError) as error:
            return _words(error)
        tasks = [asyncio.create_task(link.run()), asyncio.create_task(self._tell(hub, link, place))]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            failed = [task.exception() for task in done]
            for fault in failed:
                if fault is not None and not isinstance(fault, OSError | WireError):
                    raise fault
            return "; ".join(_words(fault) for fault in failed)
        finally:
            self._link = None
            # Cancelled: the station stops, and says so itself while the connection still answers.
            if not tasks[0].done() and not self._quiet:
                with contextlib.suppress(OSError, asyncio.CancelledError):
                    async with asyncio.timeout(1.0):
                        await link.publish(mqtt.Message(place.availability, b"offline", retain=True))
                        await link.goodbye()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await link.close()

    def _hello(self, place: Place) -> bytes:
        quiet = "-look" if self._quiet else ""
        will = None if self._quiet else mqtt.Message(place.availability, b"offline", retain=True)
        user, password = self._login or (None, None)
        return mqtt.connect(
            f"{place.node}{quiet}", keep_alive_s=KEEP_ALIVE_S, will=will, user=user, password=password
        )

    async def _tell(self, hub: Hub, link: MqttLink, place: Place) -> None:
        """Say what stands, and then what changes."""
        self._said, self._looked = {}, None
        plain = None if self._tls else f"{self._where} without encryption"
        if not self._quiet:
            self._link = link
            await self._look(hub, link, place)
            await link.publish(mqtt.Message(place.availability, b"online", retain=True))
            if self._discovery_prefix is not None:
                units = [(entry.unit, entry.callsign or entry.unit) for entry in hub.roster.units]
                await self._say(link, discovery(place, units))
        hub.feed(self.name, "watching", plain)
        sign = asyncio.get_running_loop().time()
        hub.heard(self.name)
        while True:
            await asyncio.sleep(self._look_s)
            if not self._quiet:
                await self._look(hub, link, place)
            if asyncio.get_running_loop().time() - sign >= SIGN_S:
                # The link fails within seconds if the broker stops answering its pings.
                hub.heard(self.name)
                sign = asyncio.get_running_loop().time()

    async def _look(self, hub: Hub, link: MqttLink, place: Place) -> None:
        """Publish what is different: sirens first."""
        held = (hub.roster.version, hub.alerts())
        if held == self._looked:
            return
        alerts = [alert for alert in held[1] if alert.state != "cleared"]
        own: dict[str, list[Alert]] = {entry.unit: [] for entry in hub.roster.units}
        for alert in alerts:
            for unit in own.keys() & set(alert.units):
                own[unit].append(alert)
        states = {place.state: (place.siren, state_of(alerts, drills_sound=self._drills))}
        for unit, theirs in own.items():
            state = state_of(theirs, drills_sound=self._drills)
            states[place.unit_state(unit)] = place.unit_siren(unit), state
        await self._say(link, {siren: state.siren.encode() for siren, state in states.values()})
        await self._say(link, {topic: _json(state) for topic, (_, state) in states.items()})
        self._looked = held

    async def _say(self, link: MqttLink, messages: dict[str, bytes]) -> None:
        """Retained messages that are not on the broker yet; it is known that they are when this returns."""
        news = [(topic, data) for topic, data in messages.items() if self._said.get(topic) != data]
        for first in range(0, len(news), AT_ONCE):
            some = news[first : first + AT_ONCE]
            await asyncio.gather(*(link.publish(mqtt.Message(*one, retain=True)) for one in some))
            self._said.update(some)


def _json(state: State) -> bytes:
    return msgspec.json.encode(state)


def _words(error: BaseException | None) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate was refused: {error.verify_message}"
    return str(error) or type(error).__name__


# Configuration -------------------------------------------------------------------------------------


def mqtt_peer(feed: FeedConfig) -> Peer:
    """The peer of ``mqtt://`` or ``mqtts://``. Options: ``node`` (the station's name in topics; the site's
    name), ``discovery`` (Home Assistant's prefix, or ``0``), ``position=1``, ``drills=1``, ``plain=1``.
    Raises ConfigError."""
    try:
        parts = urlsplit(feed.url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ConfigError(f"feed {feed.name!r}: {feed.url!r} is not an address ({error})") from None
    if not host or parts.path not in ("", "/") or parts.username is not None:
        raise ConfigError(
            f"feed {feed.name!r}: {feed.url!r} is not {parts.scheme}://HOST:PORT (user and password stand in"
            " the secret_file)"
        )
    options = {key: values[-1] for key, values in options_of(feed, parts.query, OPTIONS).items()}
    on = {key: switch(feed, options, key) for key in ("position", "drills", "plain")}
    secure = parts.scheme == "mqtts"
    if not secure and not is_loopback(host) and not on["plain"]:
        raise ConfigError(
            f"feed {feed.name!r}: {feed.url!r}: without encryption a broker must be on this machine: use"
            " mqtts://, or say plain=1 if you know the network"
        )
    prefix = options.get("discovery", "homeassistant")
    return MqttPeer(
        feed.name,
        host,
        port or PORTS[parts.scheme],
        tls=tls_of(feed) if secure else None,
        login=login_of(feed),
        node=options.get("node"),
        discovery_prefix=None if prefix == "0" else topic_level(prefix),
        carries_position=on["position"],
        drills=on["drills"],
        quiet=not feed.publish_tracks,
    )


def switch(feed: FeedConfig, options: dict[str, str], key: str) -> bool:
    """An option that is on (1) or off (0, the default). Raises ConfigError."""
    text = options.get(key, "0")
    if text not in ("0", "1"):
        raise ConfigError(f"feed {feed.name!r}: {key}={text}: must be 0 or 1")
    return text == "1"
