"""Why does TLS fail? The handshake as the station would do it, and each refusal in words with its remedy.

Sources: RFC 8446 (alerts, 6.2; a client's certificate is judged after the handshake, 4.4.2.4), the
verification codes of OpenSSL (X509_STORE_CTX_get_error(3)).
"""

import asyncio
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography import x509

from vedette.station.config import FeedConfig
from vedette.station.doctor.findings import Finding

STAYS_S = 1.0
"""How long a connection must hold to count as accepted."""
SOON = timedelta(days=14)

_UNTRUSTED = (2, 18, 19, 20, 21)
_NOT_YET, _EXPIRED, _OTHER_NAME, _OTHER_ADDRESS = 9, 10, 62, 64
_PLAIN = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG")
_CLIENT_EXPIRED = "ALERT_CERTIFICATE_EXPIRED"
_CLIENT_UNKNOWN = "ALERT_UNKNOWN_CA"
_CLIENT_MISSING = "ALERT_CERTIFICATE_REQUIRED"
_CLIENT_REFUSED = (
    "ALERT_BAD_CERTIFICATE",
    "ALERT_CERTIFICATE_UNKNOWN",
    "ALERT_ACCESS_DENIED",
    "ALERT_CERTIFICATE_REVOKED",
)
CLOSED = "the server closed the connection right after the handshake"


class TlsFault(Exception):
    """A handshake that failed: what was found and what to do."""

    def __init__(self, found: str, advice: str) -> None:
        super().__init__(found)
        self.found, self.advice = found, advice


class Place(NamedTuple):
    """Where a feed connects to."""

    host: str
    port: int


def client_context(feed: FeedConfig) -> ssl.SSLContext:
    """TLS as the station's peers use it: only the authority of the feed is believed. Raises OSError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if feed.ca_file is not None:
        context.load_verify_locations(feed.ca_file)
    if feed.cert_file is not None:
        context.load_cert_chain(feed.cert_file, feed.key_file)
    return context


async def shake_hands(
    feed: FeedConfig, place: Place, writer: asyncio.StreamWriter, reader: asyncio.StreamReader
) -> None:
    """TLS over an open connection, and the moment after it. Raises TlsFault, TimeoutError, OSError."""
    try:
        await writer.start_tls(client_context(feed), server_hostname=place.host)
        await _stays(reader)
    except ssl.SSLError as error:
        raise fault_of(error, feed, place) from None
    except (ConnectionError, EOFError):
        raise _refused(CLOSED, feed) from None


async def _stays(reader: asyncio.StreamReader) -> None:
    """With TLS 1.3 a server refuses our certificate only after the handshake."""
    try:
        async with asyncio.timeout(STAYS_S):
            gone = not await reader.read(1)
    except TimeoutError:
        return
    if gone:
        raise ConnectionResetError


async def speaks_tls(place: Place, patience_s: float) -> bool:
    """Whether a server answers a TLS handshake; its certificate is neither checked nor used."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        async with asyncio.timeout(patience_s):
            _, writer = await asyncio.open_connection(place.host, place.port, ssl=context)
    except ssl.SSLError as error:
        return "ALERT" in (error.reason or "")
    except (OSError, TimeoutError):
        return False
    writer.transport.abort()
    return True


def fault_of(error: ssl.SSLError, feed: FeedConfig, place: Place) -> TlsFault:
    """A refusal in words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _distrusted(error, feed, place)
    reason = error.reason or str(error)
    if reason in _PLAIN:
        return TlsFault(
            f"{place.host}:{place.port} does not speak TLS",
            "another port of that server may, or it is a plain one: ask its administrator",
        )
    if reason.endswith((_CLIENT_EXPIRED, _CLIENT_UNKNOWN, _CLIENT_MISSING, *_CLIENT_REFUSED)):
        return _refused(reason, feed)
    if "HANDSHAKE_FAILURE" in reason or "PROTOCOL_VERSION" in reason:
        return TlsFault(
            f"no common way to encrypt ({reason.lower().replace('_', ' ')})",
            "the server must allow TLS 1.2 or 1.3",
        )
    return TlsFault(
        f"TLS refused: {reason.lower().replace('_', ' ')}",
        "check ca_file, cert_file and key_file, and that the server knows this certificate",
    )


def _distrusted(error: ssl.SSLCertVerificationError, feed: FeedConfig, place: Place) -> TlsFault:
    """We refuse the server."""
    code = error.verify_code
    if code in (_OTHER_NAME, _OTHER_ADDRESS):
        return TlsFault(
            f"TLS refused: the server's certificate is for another name than {place.host}",
            "write the name that stands in the certificate into the address (and let this machine know it,"
            " for example in /etc/hosts), or have the certificate made for this name",
        )
    if code == _EXPIRED:
        return TlsFault(
            "TLS refused: the server's certificate has expired",
            "have it renewed; if it has not expired, this machine's clock is wrong",
        )
    if code == _NOT_YET:
        return TlsFault(
            "TLS refused: the server's certificate is not valid yet",
            "this machine's clock may be behind: see the finding about the clock",
        )
    if code in _UNTRUSTED:
        return TlsFault(
            "TLS refused: the server's certificate was not issued by an authority in ca_file",
            f"get the authority's certificate of that server (its trust store) and name it as ca_file"
            f" instead of {feed.ca_file}",
        )
    return TlsFault(
        f"TLS refused: {error.verify_message}", "have the server's certificate and its authority's checked"
    )


def _refused(reason: str, feed: FeedConfig) -> TlsFault:
    """The server refuses us."""
    if reason.endswith(_CLIENT_EXPIRED):
        return TlsFault(
            "TLS refused: the server says that our certificate has expired", f"have {feed.cert_file} renewed"
        )
    if feed.cert_file is None:
        return TlsFault(
            "TLS refused: the server wants a certificate and none is configured",
            "get one from its administrator and name it as cert_file and key_file",
        )
    if reason.endswith(_CLIENT_UNKNOWN):
        return TlsFault(
            "TLS refused: the server does not know the authority that issued our certificate",
            f"get a certificate for {feed.cert_file} from that server's own authority",
        )
    if reason == CLOSED:
        return TlsFault(
            f"TLS refused: {CLOSED}: it does not accept our certificate",
            f"have {feed.cert_file} registered with that server, or get a new one from its administrator",
        )
    return TlsFault(
        "TLS refused: the server does not accept our certificate",
        f"it may be revoked or not registered: ask its administrator about {feed.cert_file}",
    )


def certificates(feed: FeedConfig) -> Iterator[Finding]:
    """Our own certificate and the authority's: whether they are valid today and for two weeks more."""
    now = datetime.now(UTC)
    for key, name in (("cert_file", feed.cert_file), ("ca_file", feed.ca_file)):
        found = _validity(name, now) if name is not None else None
        if found is not None:
            words, verdict_bad, advice = found
            yield Finding(
                check=f"feed {feed.name}",
                verdict="bad" if verdict_bad else "warning",
                found=f"{key} {name} {words}",
                advice=advice,
            )


def _validity(name: str, now: datetime) -> tuple[str, bool, str] | None:
    """What is wrong with the dates of the best certificate in a file; None if nothing, or unreadable."""
    try:
        held = x509.load_pem_x509_certificates(Path(name).read_bytes())
    except (OSError, ValueError):
        return None  # loading it for TLS says what is wrong
    if not held:
        return None
    last = max(held, key=lambda one: one.not_valid_after_utc)
    until = f"{last.not_valid_after_utc:%Y-%m-%d %H:%M} UTC"
    if last.not_valid_after_utc < now:
        return (
            f"expired on {until}",
            True,
            "have it renewed; if it should be valid, check this machine's clock",
        )
    if last.not_valid_before_utc > now:
        begins = f"{last.not_valid_before_utc:%Y-%m-%d %H:%M} UTC"
        return f"is valid only from {begins}", True, "check this machine's clock"
    if last.not_valid_after_utc - now < SOON:
        return f"expires on {until}", False, "have it renewed before then: afterwards nobody is reached"
    return None
