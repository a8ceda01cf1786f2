"""Addresses that cannot be had twice: two listeners on one, and an upstream that is the gateway itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from gateway.config.consistency.document import Found, Path, named, table, text, texts
from gateway.config.consistency.translation import nearest
from gateway.config.sections.control import Control
from gateway.config.sections.server import Server

EVERY = frozenset(("", "0.0.0.0", "::"))  # noqa: S104 - what listens on every address of the machine
LOOPBACK = frozenset(("127.0.0.1", "localhost", "::1"))
DEFAULT: str = Server.model_fields["listen"].default
PORTS = {"http": 80, "https": 443}


class _Listener(NamedTuple):
    """``path`` is the key; ``host`` is empty and ``port`` a path for a unix socket."""

    path: Path
    host: str
    port: int | str


def problems(document: dict[str, Any]) -> Found:
    """Of listeners, the later key is told, with the earlier one; of upstreams, the server."""
    yield from _public(document)
    held: list[_Listener] = []
    for one in _listeners(document):
        other = next((earlier for earlier in held if _meet(earlier, one)), None)
        if other is not None and other.path[:1] + one.path != ("control", "control", "probes"):
            key = ".".join(part for part in other.path if isinstance(part, str))
            yield one.path, f"is taken by {key} already: give it an address of its own"
        held.append(one)
    public = [one for one in held if one.path[0] == "server"]
    for name, upstream in named(document, "upstreams"):
        servers = upstream.get("servers")
        for place, server in enumerate(servers if isinstance(servers, list) else ()):
            url = server if isinstance(server, str) else text(server, "url")
            asked = _asked(url)
            if asked is not None and any(_reaches(asked, one) for one in public):
                yield (
                    ("upstreams", name, "servers", place),
                    "is where this gateway listens: each request would come back; name the platform's own address",
                )


def _listeners(document: dict[str, Any]) -> Iterator[_Listener]:
    """In the file's order of sections, with the defaults of those that always listen."""
    server, control = table(document, "server"), table(document, "control")
    yield from _several(("server", "listen"), server.get("listen", DEFAULT))
    yield from _several(("server", "tls", "listen"), table(server, "tls").get("listen", ()))
    for key in ("listen", "probes"):
        yield from _listener(("control", key), control.get(key, Control.model_fields[key].default))


def _several(path: Path, several: Any) -> Iterator[_Listener]:
    """One address, or a list of them."""
    for place, one in enumerate(several if isinstance(several, list | tuple) else [several]):
        yield from _listener((*path, place) if isinstance(several, list) else path, one)


def _public(document: dict[str, Any]) -> Found:
    """There is an address, and those with PROXY headers are among them, with somebody who may write them."""
    server = table(document, "server")
    addresses = [*texts(server, "listen"), *texts(table(server, "tls"), "listen")]
    if "listen" not in server:
        addresses.append(DEFAULT)
    elif server["listen"] == [] and not addresses:
        yield ("server", "listen"), "is empty: name an address, or give tls one"
    for address, peers in table(server, "proxy_protocol").items():
        path = ("server", "proxy_protocol", address)
        if address not in addresses:
            yield path, "is no address of listen or tls.listen" + nearest(address, addresses)
        elif address.startswith("unix:"):
            yield path, "is a unix socket, whose peers have no address by which they could be named: give it a port"
        elif peers == []:
            yield path, "names no balancer, so that nobody would be let in: name some, or leave it out"


def _listener(path: Path, address: Any) -> Iterator[_Listener]:
    if not isinstance(address, str):
        return
    if address.startswith("unix:"):
        yield _Listener(path, "", address)
        return
    host, _, port = address.rpartition(":")
    if port.isascii() and port.isdigit() and int(port):  # 0 is any port that is free
        yield _Listener(path, host.strip("[]"), int(port))


def _meet(one: _Listener, other: _Listener) -> bool:
    if one.port != other.port:
        return False
    return one.host == other.host or bool(EVERY & {one.host, other.host})


def _asked(url: str) -> tuple[str, int | str] | None:
    """Host and port, or an empty host and the path, that a server's address names; None for what is none."""
    if url.startswith("unix:"):
        return "", url
    try:
        parts = urlsplit(url)
        port = parts.port or PORTS.get(parts.scheme, 0)
    except ValueError:
        return None
    return (parts.hostname, port) if parts.hostname else None


def _reaches(asked: tuple[str, int | str], listener: _Listener) -> bool:
    host, port = asked
    if port != listener.port:
        return False
    return host == listener.host or (host in LOOPBACK and listener.host in EVERY | LOOPBACK)
