"""Two primaries: questions go where their answers lie, and what one cannot say is missing alone."""

from __future__ import annotations

import asyncio
import shutil
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio.cluster import RedisCluster

from filters.model.message import Message
from filters.model.rule import Asks, Repeat
from filters.model.verdict import Account, Facts, Scan
from gateway.control.acts.neighbours import Change
from gateway.state.cold import embedded, topology
from gateway.state.cold.governance_projection import GovernanceProjection
from gateway.state.hot.cluster import ClusterClient
from gateway.state.model.keys import Keys, slot_of
from gateway.state.model.settings import Address, Credentials, StateSettings
from gateway.state.model.snapshot import SnapshotRows
from rig.ports import free_ports


class Cluster:
    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="tg"))
        ports = free_ports(4)
        self.addresses = [Address(host="127.0.0.1", port=port) for port in ports[:2]]
        self.nodes = []
        for number, (port, bus) in enumerate(zip(ports[:2], ports[2:], strict=True)):
            (self.folder / str(number)).mkdir()
            options = {"port": port, "cluster-port": bus, "dir": self.folder / str(number), "bind": "127.0.0.1"}
            options |= {"cluster-enabled": "yes", "save": "", "cluster-require-full-coverage": "no"}
            argv = [embedded.binary(), *(str(word) for name, value in options.items() for word in (f"--{name}", value))]
            self.nodes.append(subprocess.Popen(argv, stdout=subprocess.DEVNULL))
        self.ports, self.buses = ports[:2], ports[2:]

    async def form(self) -> None:
        clients = [topology.redis(address, Credentials()) for address in self.addresses]
        async with asyncio.timeout(20):
            for client in clients:
                while True:
                    try:
                        await client.ping()
                        break
                    except Exception:
                        await asyncio.sleep(0.02)
            await clients[0].execute_command("CLUSTER", "ADDSLOTSRANGE", "0", "8191")
            await clients[1].execute_command("CLUSTER", "ADDSLOTSRANGE", "8192", "16383")
            await clients[0].execute_command("CLUSTER", "MEET", "127.0.0.1", str(self.ports[1]), str(self.buses[1]))
            for client in clients:
                while len(await topology.slots(self.addresses[clients.index(client)], Credentials())) < 2:
                    await asyncio.sleep(0.05)
                while "'cluster_state': 'ok'" not in str(await client.execute_command("CLUSTER INFO")):
                    await asyncio.sleep(0.05)
        for client in clients:
            await client.aclose()

    async def say(self, node: int, *command: Any) -> Any:
        client = topology.redis(self.addresses[node], Credentials())
        try:
            return await client.execute_command(*command)  # type: ignore[no-untyped-call]
        finally:
            await client.aclose()

    async def begin_move(self, slot: int, *, without: str = "") -> None:
        """From the first node to the second, as far as the keys: from now on the first one answers ASK. ``without``:
        what the names of keys end with that stay."""
        names = [await self.say(node, "CLUSTER", "MYID") for node in (0, 1)]
        first, second = (name.decode() if isinstance(name, bytes) else name for name in names)
        await self.say(1, "CLUSTER", "SETSLOT", slot, "IMPORTING", first)
        await self.say(0, "CLUSTER", "SETSLOT", slot, "MIGRATING", second)
        found = await self.say(0, "CLUSTER", "GETKEYSINSLOT", slot, 1000)
        keys = [key for key in found if not without or without not in str(key)]
        await self.say(0, "MIGRATE", "127.0.0.1", self.ports[1], "", 0, 5000, "KEYS", *keys)

    async def end_move(self, slot: int) -> None:
        """The slot is the second node's: the first one answers MOVED."""
        name = await self.say(1, "CLUSTER", "MYID")
        for node in (1, 0):
            await self.say(node, "CLUSTER", "SETSLOT", slot, "NODE", name)

    def close(self) -> None:
        for node in self.nodes:
            node.send_signal(signal.SIGKILL)
            node.wait(10)
        shutil.rmtree(self.folder)


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    made = Cluster()
    try:
        await made.form()
        yield made
    finally:
        made.close()


async def test_cluster(cluster: Cluster, message: Callable[..., Message], everything: Asks, ask: Any) -> None:
    everything.repeat(Repeat("global", 1, 60_000_000), "enforce")
    everything.repeat(Repeat("room", 1, 60_000_000, senders=2), "enforce")
    redis: Any = RedisCluster(host="127.0.0.1", port=cluster.ports[0])
    projection = GovernanceProjection(redis, Keys(), cluster=True)
    rows = [
        Change("accounts", {"sender": f"u{number}"}, {"verified": True, "verified_until": 0, "credit": number})
        for number in range(40)
    ]
    block = Change("blocks", {"scope": "device", "value": "d1"}, {"reason": "x", "expires_at": 0, "limited": False})
    room = Change("rooms", {"room": "r2"}, {"status": "muted", "interval_ms": 0})
    await projection.rebuild([rows, [block, room]], SnapshotRows(1))
    client = ClusterClient(
        topology.fixed(cluster.addresses[0]),
        Credentials(),
        StateSettings(deadline=0.3, reconnect=0.02, misses=2, pause=0.02),
    )
    await client.start()

    async def up() -> None:
        async with asyncio.timeout(10):
            while client.problem:
                await asyncio.sleep(0.01)

    asker = ask(client)

    async def say(*messages: Message, scan: Scan | None = None) -> list[Facts]:
        scan = scan or Scan(fingerprint=b"1234", folded_length=9)
        return list(await asker.ask(everything, *messages, scan=scan))

    await up()
    told = await say(*(message(f"u{number}", device="d1", ip="10.0.0.1") for number in range(40)))
    assert [facts.account for facts in told] == [Account(True, 0, number) for number in range(40)]
    assert all(facts.blocks[0].scope == "device" and not facts.missing for facts in told)
    assert [facts.repeats[1].seen for facts in told] == list(range(1, 41))
    assert [facts.repeats[2].senders for facts in told] == [1] + [2] * 39
    assert (await say(message("u1", room="r2")))[0].room.status == "muted"
    await projection.apply([Change("rooms", {"room": "r2"}, None)])
    assert (await say(message("u1", room="r2")))[0].room.status == "open"
    told = await say(*[message("new", room="r9")] * 4, scan=Scan())
    assert [facts.limits[0] > 0 for facts in told] == [False, False, False, True]

    client.give_back(message("new", room="r9"), everything, Scan())
    assert (await say(message("new", room="r9"), scan=Scan()))[0].limits[0] == 0

    # A rebuild goes unnoticed; an epoch that is gone does not.
    await projection.rebuild([rows, [block, room]], SnapshotRows(2))
    assert (await say(message("u7")))[0].account == Account(True, 0, 7)
    await redis.delete(Keys().epoch_at(slot_of(b"{u7}")))
    (facts,) = await say(message("u7"))
    assert facts.missing["account"] == "state.epoch"
    assert "room" not in facts.missing

    # A node that is gone takes its own answers with it, no others.
    second = [number for number in range(40) if slot_of(f"{{u{number}}}".encode()) >= 8192]
    first = [number for number in range(40) if number not in second and number != 7]
    cluster.nodes[1].send_signal(signal.SIGKILL)
    cluster.nodes[1].wait(10)
    async with asyncio.timeout(5):
        while not client.problem:
            await asyncio.sleep(0.01)
    lost, kept = await say(message(f"u{second[0]}"), message(f"u{first[0]}"))
    assert lost.missing["account"] == "state.unavailable"
    assert "limits:local" in lost.fallback
    assert kept.account == Account(True, 0, first[0])
    await client.close()
    await redis.aclose()


async def test_a_slot_that_moves_takes_nobodys_facts_with_it(
    cluster: Cluster, message: Callable[..., Message], monkeypatch: pytest.MonkeyPatch, ask: Any
) -> None:
    """While its keys are on their way, what is told is true or said to be missing; behind the move the first question
    is led to the new owner, and the next ones go there at once."""
    redis: Any = RedisCluster(host="127.0.0.1", port=cluster.ports[0])
    projection = GovernanceProjection(redis, Keys(), cluster=True)
    sender = next(name for name in (f"u{number}" for number in range(100)) if slot_of(f"{{{name}}}".encode()) < 8192)
    slot = slot_of(f"{{{sender}}}".encode())
    row = {"verified": True, "verified_until": 0, "credit": 12}
    await projection.rebuild([[Change("accounts", {"sender": sender}, row)]], SnapshotRows(1))
    client = ClusterClient(
        topology.fixed(cluster.addresses[0]), Credentials(), StateSettings(deadline=0.3, reconnect=0.02, misses=2)
    )
    refresh, looking = client._refresh, asyncio.Lock()

    async def in_turn() -> bool:
        async with looking:
            return await refresh()

    monkeypatch.setattr(client, "_refresh", in_turn)
    await client.start()
    asks, asker = Asks(account=True), ask(client)

    def owner() -> int:
        link = client._owners[slot]
        return next((number for number, at in enumerate(cluster.addresses) if client._links.get(at) is link), -1)

    async with asyncio.timeout(10):
        while client.problem:
            await asyncio.sleep(0.01)
    assert (await asker.one(asks, message(sender))).account == Account(True, 0, 12)
    assert owner() == 0

    await cluster.begin_move(slot)
    for _ in range(5):
        facts = await asker.one(asks, message(sender))
        assert (facts.account, facts.missing) == (Account(True, 0, 12), {})

    async with looking:  # the client cannot learn of it but by being led
        await cluster.end_move(slot)
        assert (await asker.one(asks, message(sender))).account == Account(True, 0, 12)
        assert owner() == 0
    async with asyncio.timeout(10):
        while owner() != 1 or client._moved.is_set():
            await asyncio.sleep(0.01)
    assert (await asker.one(asks, message(sender))).account == Account(True, 0, 12)
    assert not client._moved.is_set()  # nobody is led anywhere any more
    await client.close()
    await redis.aclose()


@pytest.mark.parametrize("stays", ["", ":b:", ":a:", ":r:", ":epoch:"])
async def test_a_slot_that_is_half_way_is_asked_key_by_key(
    cluster: Cluster, message: Callable[..., Message], everything: Asks, ask: Any, stays: str
) -> None:
    """Whichever of its keys has not been carried over: what governs is told, limits are the worker's own."""
    name = next(name for name in (f"u{number}" for number in range(100)) if slot_of(f"{{{name}}}".encode()) < 8192)
    redis: Any = RedisCluster(host="127.0.0.1", port=cluster.ports[0])
    projection = GovernanceProjection(redis, Keys(), cluster=True)
    rows = [
        Change("accounts", {"sender": name}, {"verified": True, "verified_until": 0, "credit": 12}),
        Change("blocks", {"scope": "sender", "value": name}, {"reason": "x", "expires_at": 0, "limited": False}),
        Change("blocks", {"scope": "device", "value": name}, {"reason": "y", "expires_at": 1, "limited": False}),
        Change("blocks", {"scope": "room", "value": name}, {"reason": "z", "expires_at": 0, "limited": True}),
        Change("rooms", {"room": name}, {"status": "slow", "interval_ms": 60_000}),
    ]
    await projection.rebuild([rows], SnapshotRows(1))
    client = ClusterClient(
        topology.fixed(cluster.addresses[0]), Credentials(), StateSettings(deadline=0.3, reconnect=0.02, misses=2)
    )
    await client.start()
    async with asyncio.timeout(10):
        while client.problem:
            await asyncio.sleep(0.01)
    await cluster.begin_move(slot_of(f"{{{name}}}".encode()), without=stays)
    asker = ask(client)

    async def told() -> Facts:
        facts: Facts = await asker.one(everything, message(name, device=name, room=name), scan=Scan())
        assert facts.account == Account(True, 0, 12)
        assert (facts.room.status, facts.missing) == ("slow", {})
        assert facts.fallback == ("limits:local",)
        return facts

    facts = await told()
    assert facts.room.retry_after == 0
    assert {block.reason for block in facts.blocks} == {"x"}  # one is over, one is a limit that is not used up
    facts = await told()
    assert 50 < facts.room.retry_after <= 60
    assert {block.reason for block in facts.blocks} == {"x", "z"}
    # Under an epoch that is gone nothing that was read is true.
    await redis.execute_command("DEL", Keys().epoch_at(slot_of(f"{{{name}}}".encode())))
    facts = await asker.one(everything, message(name, device=name, room=name), scan=Scan())
    assert facts.missing["account"] == "state.epoch"
    await client.close()
    await redis.aclose()
