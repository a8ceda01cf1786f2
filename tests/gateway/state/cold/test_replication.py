"""Whether replicas have what was written, of real servers: where there are none nobody is asked and nothing written."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, NamedTuple

import pytest
from redis.asyncio import Redis

from gateway.state.cold import topology
from gateway.state.cold.replication import Replication
from gateway.state.model.keys import Keys
from gateway.state.model.settings import Address, Credentials

SERVER = ("--port", "{port}", "--bind", "127.0.0.1", "--save", "", "--repl-diskless-sync-delay", "0")


class Both(NamedTuple):
    primary: Redis
    replica: Redis
    pid: int  # of the replica


@pytest.fixture
async def both(outside: Any) -> AsyncIterator[Both]:
    made = [outside(*SERVER) for _ in range(2)]
    clients = [topology.redis(Address(host="127.0.0.1", port=one.port), Credentials()) for one in made]
    yield Both(*clients, made[1].process.pid)
    for client in clients:
        await client.aclose()


async def follows(primary: Redis, replica: Redis) -> None:
    port = primary.connection_pool.connection_kwargs["port"]
    await replica.replicaof("127.0.0.1", port)  # type: ignore[no-untyped-call]
    async with asyncio.timeout(20):
        while (await replica.info("replication"))["master_link_status"] != "up":
            await asyncio.sleep(0.02)


async def test_what_replicas_have(both: Both) -> None:
    primary, replica, _ = both
    replication = Replication(primary, Keys(), cluster=False)
    assert await replication.look() is None
    assert await replication.confirmed() is None
    assert await primary.dbsize() == 0
    await follows(primary, replica)
    assert await replication.confirmed() is None  # until a look has counted
    await eventually(replication.look)
    await primary.set("something", "1")
    assert await replication.confirmed() is True
    assert await replica.get("something") == b"1"


async def test_one_that_stands_still_is_waited_for_once(both: Both) -> None:
    primary, replica, pid = both
    replication = Replication(primary, Keys(), cluster=False)
    await follows(primary, replica)
    await eventually(replication.look)
    os.kill(pid, signal.SIGSTOP)
    try:
        assert await replication.confirmed() is False
        before = await primary.get(Keys().look(-1))
        assert await replication.confirmed() is False
        assert await primary.get(Keys().look(-1)) == before  # nobody waited again
        assert await replication.look() is False
    finally:
        os.kill(pid, signal.SIGCONT)
    await eventually(replication.look)
    assert await replication.confirmed() is True


async def eventually(look: Callable[[], Awaitable[bool | None]]) -> None:
    async with asyncio.timeout(20):
        while not await look():
            await asyncio.sleep(0.02)


async def test_where_waiting_is_forbidden_nothing_is_known(both: Both) -> None:
    primary, replica, _ = both
    await follows(primary, replica)
    await primary.execute_command("ACL", "SETUSER", "gate", "on", ">sesame", "~tg:*", "+@all", "-wait", "-hello")
    port = primary.connection_pool.connection_kwargs["port"]
    client = topology.redis(Address(host="127.0.0.1", port=port), Credentials("gate", "sesame"))
    try:
        assert await Replication(client, Keys(), cluster=False).look() is None
        await primary.execute_command("ACL", "SETUSER", "gate", "+wait", "-info")
        assert await Replication(client, Keys(), cluster=False).look() is None
    finally:
        await client.aclose()
