"""A station that runs is asked for its own picture: it knows more than anybody who looks from outside."""

import http.client
import ipaddress
import socket
import ssl
import time
from pathlib import Path

import msgspec

from vedette.model.errors import ConfigError
from vedette.station.access.authority import FOLDER as AUTHORITY
from vedette.station.access.authority import Authority
from vedette.station.access.doorkeeper import FOLDER as ACCESS
from vedette.station.access.local import local_token
from vedette.station.access.tls import server_names
from vedette.station.config import StationConfig, listen_address
from vedette.station.doctor.findings import Finding
from vedette.station.doctor.look import CONNECT_S
from vedette.station.view import View

MAX_VIEW_BYTES = 1 << 26
LOOPBACK = {4: "127.0.0.1", 6: "::1"}


def ask_console(config: StationConfig) -> tuple[Finding, View | None]:
    """Whether the console's address is free, and the view of the station that has it."""
    listen = config.console.listen
    if not listen:
        return Finding(check="console", verdict="warning", found="no console is configured"), None
    host, port = _here(config)
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(CONNECT_S)
        if port == 0 or probe.connect_ex((host, port)) != 0:
            return Finding(check="console", verdict="good", found=f"{listen}: no station answers there"), None
    try:
        view = _ask(config)
    except PermissionError:
        return Finding(
            check="console",
            verdict="bad",
            found=f"{listen}: the station there does not know this user",
            advice="run doctor as the station's user, with the configuration that the station runs with",
        ), None
    except (OSError, http.client.HTTPException, msgspec.MsgspecError, UnicodeError, ConfigError):
        return Finding(
            check="console",
            verdict="bad",
            found=f"{listen} is taken by a program that is not this station",
            advice="stop that program or give the console another port",
        ), None
    return Finding(check="console", verdict="good", found=f"a station runs there. {view.summary}"), view


def _here(config: StationConfig) -> tuple[str, int]:
    """Where this machine reaches its own console."""
    host, port = listen_address(config.console.listen)
    if host != "localhost" and (address := ipaddress.ip_address(host)).is_unspecified:
        return LOOPBACK[address.version], port
    return host, port


def _ask(config: StationConfig) -> View:
    """The picture without people, by the token that the station has left for commands on this machine. Raises
    OSError (PermissionError if it is not taken), and what reading an answer of a stranger can raise."""
    host, port = _here(config)
    connection, name = _connection(config, host, port), _name(config, host)
    token = local_token(Path(config.state) / ACCESS)
    headers = {"host": f"{name}:{port}"}
    if token is not None:
        headers["authorization"] = f"Bearer {token.reveal()}"
    try:
        connection.request("GET", "/api/v1/view", headers=headers)
        answer = connection.getresponse()
        body = answer.read(MAX_VIEW_BYTES)
    finally:
        connection.close()
    if answer.status in (401, 403):
        raise PermissionError
    return msgspec.json.decode(body, type=View)


def _connection(config: StationConfig, host: str, port: int) -> http.client.HTTPConnection:
    """By the site's own authority, where the page is served by TLS. The name in the certificate is that of
    the page, not of this machine's loopback."""
    if config.console.cert_file is None:
        return http.client.HTTPConnection(host, port, timeout=CONNECT_S)
    context = ssl.create_default_context(cafile=str(_authority(config).file))
    context.check_hostname = False
    return http.client.HTTPSConnection(host, port, timeout=CONNECT_S, context=context)


def _name(config: StationConfig, host: str) -> str:
    """The host as the page's address names it."""
    if config.console.cert_file is None:
        return f"[{host}]" if ":" in host else host
    names = server_names(_authority(config), Path(config.console.cert_file), time.time())
    return names[0] if names else host


def _authority(config: StationConfig) -> Authority:
    return Authority(Path(config.state) / ACCESS / AUTHORITY)
