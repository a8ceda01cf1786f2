"""From what the operator wrote under ``[state]`` to servers, by way of redis-py: one server, Sentinel or Cluster."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from filters.model.errors import TidegateError
from gateway.state.cold import embedded
from gateway.state.cold.primary_watch import ClusterView, PrimaryView
from gateway.state.cold.sentinels import Sentinels
from gateway.state.model.settings import Address, Credentials, StateSettings, Tls

if TYPE_CHECKING:
    from gateway.config.sections.state import State
from gateway.config.values.carrying import carried

SCHEMES = ("redis", "rediss", "unix")
PORT = 6379
TIMEOUT = 2.0  # seconds, for what is asked of sentinels and of a cluster's first node
LOOK_TIMEOUT = 0.5  # seconds, for what is asked of them some times a second


class BadUrl(TidegateError, ValueError):
    """``state.url`` cannot be used. The text never repeats it: it may hold a password."""


class Topology:
    """Where state is. ``locate`` finds the server, or the primary, or one node of the cluster, each time anew.
    ``view`` makes what says who the primaries are, for a watch that closes it; None where there is but one server."""

    __slots__ = ("cluster", "credentials", "locate", "view")

    def __init__(
        self,
        locate: Callable[[], Awaitable[Address]],
        credentials: Credentials,
        *,
        cluster: bool,
        view: Callable[[], PrimaryView] | None = None,
    ) -> None:
        self.locate = locate
        self.credentials = credentials
        self.cluster = cluster
        self.view = view


def fixed(address: Address) -> Callable[[], Awaitable[Address]]:
    """A server that does not move."""

    async def locate() -> Address:
        return address

    return locate


def topology(state: State, folder: Path) -> Topology:
    """The topology of a configuration; ``folder`` is the embedded server's, used where no other server is named."""
    if state.sentinel is not None:
        return _sentinel(state)
    if state.url is None:
        address, credentials = embedded.access(folder)
        return Topology(fixed(address), credentials, cluster=False)
    address, credentials = parse_url(state.url.get_secret_value(), _tls(state))
    credentials = Credentials(
        credentials.username or state.username,
        credentials.password or state.password.get_secret_value(),
        credentials.database,
        credentials.tls,
    )
    if state.topology != "cluster":
        return Topology(fixed(address), credentials, cluster=False)

    def view() -> PrimaryView:
        return ClusterView(address, lambda one: redis(one, credentials, LOOK_TIMEOUT), _slots)

    return Topology(fixed(address), credentials, cluster=True, view=view)


def settings(state: State) -> StateSettings:
    """The client's settings out of a configuration."""
    return carried(StateSettings, state, state.breaker)


def parse_url(url: str, tls: Tls) -> tuple[Address, Credentials]:
    """``redis://user:password@host:port/db``, the same with ``rediss``, or ``unix://user:password@/path?db=0``."""
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES:
        raise BadUrl("state.url: write redis://host:port, rediss://host:port or unix:///path")
    username, password = unquote(parts.username or ""), unquote(parts.password or "")
    database = parts.query.partition("db=")[2] if parts.scheme == "unix" else parts.path.strip("/")
    try:
        number, port = int(database or 0), parts.port or PORT
    except ValueError:
        raise BadUrl("state.url: the port and the database are numbers") from None
    if parts.scheme == "unix":
        if not parts.path:
            raise BadUrl("state.url: unix:// needs the socket's path, as in unix:///run/state.sock")
        return Address(path=unquote(parts.path)), Credentials(username, password, number)
    if not parts.hostname:
        raise BadUrl("state.url: the host is missing")
    context = tls if parts.scheme == "rediss" else None
    return Address(host=parts.hostname, port=port), Credentials(username, password, number, context)


def redis(address: Address, credentials: Credentials, timeout: float = TIMEOUT) -> Redis:
    """A redis-py client for cold paths. The caller closes it."""
    options: dict[str, Any] = {
        "username": credentials.username or None,
        "password": credentials.password or None,
        "db": credentials.database,
        "socket_timeout": timeout,
        "socket_connect_timeout": timeout,
        "retry": Retry(NoBackoff(), 1),  # a connection that went stale; everything else the callers try again
    }
    if address.path:
        return Redis(unix_socket_path=address.path, **options)
    return Redis(host=address.host, port=address.port, **tls_options(credentials.tls), **options)


def tls_options(tls: Tls | None) -> dict[str, Any]:
    if tls is None:
        return {}
    options = {"ssl_ca_certs": tls.ca, "ssl_certfile": tls.certificate, "ssl_keyfile": tls.key}
    return {"ssl": True, **{name: str(path) for name, path in options.items() if path is not None}}


def _sentinel(state: State) -> Topology:
    assert state.sentinel is not None
    sentinel = state.sentinel
    servers = [(host.strip("[]"), int(port)) for host, _, port in (text.rpartition(":") for text in sentinel.servers)]
    files = sentinel.tls
    watchers = Credentials(
        sentinel.username,
        sentinel.password.get_secret_value(),
        tls=Tls(files.ca, files.certificate, files.key) if files is not None else None,
    )

    def asked(timeout: float) -> Sentinels:
        clients = [redis(Address(host=host, port=port), watchers, timeout) for host, port in servers]
        return Sentinels(clients, sentinel.service)

    async def locate() -> Address:
        sentinels = asked(TIMEOUT)
        try:
            return await sentinels.primary()
        finally:
            await sentinels.close()

    tls = _tls(state) if state.tls.ca is not None or state.tls.certificate is not None else None
    credentials = Credentials(state.username, state.password.get_secret_value(), 0, tls)
    return Topology(locate, credentials, cluster=False, view=lambda: asked(LOOK_TIMEOUT))


def _tls(state: State) -> Tls:
    return Tls(state.tls.ca, state.tls.certificate, state.tls.key)


async def slots(address: Address, credentials: Credentials) -> list[tuple[int, int, Address]]:
    """First slot, last slot and primary of each range of a cluster, as one of its nodes tells. Raises ``OSError``."""
    client = redis(address, credentials)
    try:
        return await _slots(address, client)
    except RedisError as error:
        raise ConnectionError(f"the cluster does not tell its slots ({type(error).__name__})") from None
    finally:
        await client.aclose()


async def _slots(address: Address, client: Redis) -> list[tuple[int, int, Address]]:
    rows = await client.execute_command("CLUSTER SLOTS")  # type: ignore[no-untyped-call]
    if isinstance(rows, dict):  # redis-py's own shape
        ranges = [(first, last, told["primary"]) for (first, last), told in rows.items()]
    else:
        ranges = [(row[0], row[1], row[2]) for row in rows]
    # A node that does not know its own name tells an empty one: it is the node that was asked.
    return [
        (int(first), int(last), Address(host=_text(node[0]) or address.host, port=int(node[1])))
        for first, last, node in ranges
    ]


async def owners(client: Any) -> list[tuple[Any, int]]:
    """Each primary that a ``RedisCluster`` knows, and its first slot. Raises redis-py's errors where none answers."""
    await client.initialize()
    found: dict[str, tuple[Any, int]] = {}
    for slot, nodes in sorted(client.nodes_manager.slots_cache.items()):
        found.setdefault(nodes[0].name, (nodes[0], slot))
    return list(found.values())


async def close(client: Any) -> None:
    """Close a redis-py client, whatever becomes of its connections. One of a cluster that meets a server which died
    stops in the middle of that, and leaves those to the others open."""
    manager = getattr(client, "nodes_manager", None)
    nodes = [*manager.nodes_cache.values(), *manager.startup_nodes.values()] if manager is not None else []
    with suppress(RedisError, OSError):
        await client.aclose()
    for node in nodes:
        with suppress(RedisError, OSError):
            await node.disconnect()


def _text(value: bytes | str | None) -> str:
    return value.decode() if isinstance(value, bytes) else value or ""
