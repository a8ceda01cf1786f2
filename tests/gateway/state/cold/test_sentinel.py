"""A primary found through Sentinel: real servers, a real failover, and what a sender is told meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from filters.model.limits import Limit
from filters.model.rule import Asks
from filters.model.verdict import Facts, Scan
from gateway.config.sections.state import State
from gateway.control.acts.neighbours import Change
from gateway.control.adapters.state import LocatedProjection
from gateway.state import connecting
from gateway.state.cold import topology
from gateway.state.hot.state_client import StateClient
from gateway.state.model.settings import Address, Credentials
from gateway.state.model.snapshot import SnapshotRows

SERVICE = "tidegate"
PASSWORD = "sesame"
SERVER = (
    "--port", "{port}", "--bind", "127.0.0.1", "--save", "", "--requirepass", PASSWORD, "--masterauth", PASSWORD,
    "--repl-diskless-sync-delay", "0",
)  # fmt: skip
SENTINEL = """
port {{port}}
bind 127.0.0.1
sentinel monitor {service} 127.0.0.1 {primary} 1
sentinel auth-pass {service} {password}
sentinel down-after-milliseconds {service} 300
sentinel failover-timeout {service} 3000
"""


async def within(seconds: float, look: Callable[[], Awaitable[Any]]) -> Any:
    """What ``look`` gives, once it gives something; what it raises is not yet."""
    async with asyncio.timeout(seconds):
        while True:
            try:
                if found := await look():
                    return found
            except (OSError, topology.RedisError):
                pass
            await asyncio.sleep(0.02)


async def say(port: int, *command: str, password: str = PASSWORD) -> Any:
    client = topology.redis(Address(host="127.0.0.1", port=port), Credentials(password=password))
    try:
        return await client.execute_command(*command)  # type: ignore[no-untyped-call]
    finally:
        await client.aclose()


class Watched:
    """A primary, its replica and the sentinel that watches them; who asks them is closed with ``stack``."""

    def __init__(self, primary: Any, replica: Any, sentinel: Any) -> None:
        self.primary = primary
        self.replica = replica
        self.sentinel = sentinel
        self.stack = AsyncExitStack()
        self.state = State(
            sentinel={"servers": [f"127.0.0.1:{sentinel.port}"], "service": SERVICE},
            password=PASSWORD, deadline="250ms", reconnect="20ms", breaker={"misses": 3, "pause": "20ms"},
        )  # fmt: skip

    async def client(self, folder: Path) -> StateClient:
        """A worker's side."""
        made = connecting.client(self.state, folder, lambda: None)
        await made.start()
        self.stack.push_async_callback(made.close)

        async def moved(primaries: frozenset[Address]) -> None:
            made.moved(primaries)

        watch = connecting.watch(self.state, folder, moved)
        assert watch is not None
        watch.start()
        self.stack.push_async_callback(watch.close)
        return made

    def projection(self, folder: Path) -> LocatedProjection:
        """Control's side."""
        made = LocatedProjection(self.state, folder)
        self.stack.push_async_callback(made.close)
        return made

    async def ready(self) -> None:
        """The sentinel knows the replica, and that it may be promoted."""

        async def known() -> bool:
            rows = await say(self.sentinel.port, "SENTINEL", "REPLICAS", SERVICE, password="")
            return [(row[b"flags"], row[b"master-link-status"]) for row in rows] == [(b"slave", b"ok")]

        await within(20, known)


async def replication(port: int) -> dict[str, Any]:
    client = topology.redis(Address(host="127.0.0.1", port=port), Credentials(password=PASSWORD))
    try:
        return dict(await client.info("replication"))
    finally:
        await client.aclose()


@pytest.fixture
async def watched(outside: Any) -> AsyncIterator[Watched]:
    primary = outside(*SERVER)
    replica = outside(*SERVER, "--replicaof", "127.0.0.1", str(primary.port))

    async def follows() -> bool:
        return bool((await replication(replica.port))["master_link_status"] == "up")

    await within(20, follows)  # before the sentinel looks: it looks again only ten seconds later
    sentinel = outside("--sentinel", file=SENTINEL.format(service=SERVICE, primary=primary.port, password=PASSWORD))
    made = Watched(primary, replica, sentinel)
    async with made.stack:
        await made.ready()
        yield made


def account(sender: str, credit: int) -> Change:
    return Change("accounts", {"sender": sender}, {"verified": True, "verified_until": 0, "credit": credit})


@pytest.mark.parametrize("how", ["killed", "asked"])
async def test_a_failover_is_survived_without_a_word_from_the_operator(
    watched: Watched, message: Any, ask: Any, tmp_path: Path, how: str
) -> None:
    """The primary dies, or is made a replica while it lives. Until the new one is found nobody is taken for innocent;
    then facts are there again, control writes them anew, and limits are counted there."""
    projection = watched.projection(tmp_path)
    await projection.rebuild([[account("alice", 70)]], SnapshotRows(1), 1)
    client = await watched.client(tmp_path)
    asker = ask(client)

    asks = Asks(account=True)
    asks.limit(Limit("sender", 10_000, 10_000_000), "enforce")  # a replica cannot count

    def known(sender: str, credit: int) -> Callable[[], Awaitable[bool]]:
        async def look() -> bool:
            told = await asker.one(asks, message(sender))
            return told.account is not None and told.account.credit == credit

        return look

    await within(10, known("alice", 70))
    assert await say(watched.primary.port, "WAIT", "1", "5000") == 1

    if how == "killed":
        watched.primary.stop()
    else:
        await within(20, lambda: say(watched.sentinel.port, "SENTINEL", "FAILOVER", SERVICE, password=""))

    seen: list[Facts] = []

    async def moved() -> bool:
        facts = await asker.one(asks, message("alice"))
        seen.append(facts)
        where = await topology.topology(watched.state, tmp_path).locate()
        return facts.account is not None and where.port == watched.replica.port and not client.problem

    await within(30, moved)
    # Every answer on the way was the truth or a confessed gap.
    assert all((facts.account is not None) != ("account" in facts.missing) for facts in seen)
    assert {facts.account.credit for facts in seen if facts.account is not None} == {70}
    if how == "killed":
        assert any("account" in facts.missing for facts in seen)

    # What control wrote last may not have reached the new primary: it asks for a rebuild, and writes there.
    async def rebuilt() -> bool:
        if await projection.confirm() and not await projection.restarted():
            return True
        await projection.rebuild([[account("alice", 30)]], SnapshotRows(2), 2)
        return False

    await within(10, rebuilt)
    # A primary that lives on is told only eight seconds later, by the sentinel, that it is none; then it hangs up.
    await within(30, known("alice", 30))
    assert (await replication(watched.replica.port))["role"] == "master"
    await projection.apply([account("bob", 5)])
    await within(5, known("bob", 5))
    assert client.problem == ""


async def test_without_a_sentinel_state_is_away_and_that_is_said(
    watched: Watched, message: Any, tmp_path: Path
) -> None:
    watched.sentinel.stop()
    client = await watched.client(tmp_path)

    async def refused() -> bool:
        return client.problem not in ("", "connecting")

    await within(10, refused)
    done: asyncio.Future[Facts] = asyncio.get_running_loop().create_future()
    client.admit(message("alice"), Asks(account=True), Scan(), done.set_result)
    assert (await done).missing["account"] == "state.unavailable"
    with pytest.raises(ConnectionError, match="no sentinel names a primary"):
        await topology.topology(watched.state, tmp_path).locate()
