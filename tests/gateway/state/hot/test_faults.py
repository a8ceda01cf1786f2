"""What becomes of messages when the server is away, asleep, emptied, replaced or out of its mind."""

from __future__ import annotations

import asyncio
import shutil
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from filters.model.limits import Limit
from filters.model.message import Message
from filters.model.rule import Asks
from filters.model.verdict import Facts, Scan
from gateway.state.cold import topology
from gateway.state.cold.governance_projection import EpochLost, GovernanceProjection
from gateway.state.hot.state_client import StateClient
from gateway.state.model.settings import Address, Credentials, StateSettings
from gateway.state.model.snapshot import Snapshot, SnapshotRows, decode

Make = Callable[..., Message]


def cause_of(facts: Facts) -> str:
    (cause,) = set(facts.missing.values())
    return cause


async def test_absent(connect: Any, message: Make, everything: Asks, tmp_path: Path) -> None:
    client = StateClient(
        topology.fixed(Address(path=str(tmp_path / "none"))), Credentials(), StateSettings(reconnect=0.01)
    )
    await client.start()
    done: asyncio.Future[Facts] = asyncio.get_running_loop().create_future()
    client.admit(message(ip="10.0.0.1"), everything, Scan(), done.set_result)
    facts = await done
    assert dict(facts.missing) == dict.fromkeys(("account", "blocks", "repeats", "room"), "state.unavailable")
    assert facts.fallback == ("limits:local",)
    assert client.problem
    await client.close()


async def test_stand_ins_while_it_is_away(message: Make, everything: Asks, tmp_path: Path) -> None:
    """Half of each limit, and the blocks of the last snapshot."""
    client = StateClient(topology.fixed(Address(path=str(tmp_path / "none"))), Credentials(), StateSettings())
    blocks = [
        {"scope": "sender", "value": "mallory", "reason": "spam", "expires_at": 0, "limited": False},
        {"scope": "sender", "value": "past", "reason": "spam", "expires_at": 5, "limited": False},
    ]
    client.on_snapshot(Snapshot(decode({"version": 1, "blocks": blocks})))
    await client.start()
    told: list[Facts] = []
    asks = Asks(blocks=True)
    asks.limit(Limit("sender", 4, 10_000_000), "enforce")
    for sender in ("mallory", "mallory", "mallory", "past"):
        client.admit(message(sender), asks, Scan(), told.append)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert [len(facts.blocks) for facts in told] == [1, 1, 1, 0]
    assert [facts.limits[0] > 0 for facts in told] == [False, False, True, False]
    assert told[0].fallback == ("limits:local", "blocks:snapshot")
    assert not told[0].missing
    await client.close()


async def test_paused_and_back(
    own_server: Any, own_projection: GovernanceProjection, connect: Any, message: Make
) -> None:
    asks = Asks(account=True)
    asker = await connect(own_server, deadline=0.2, misses=2, pause=0.02)
    assert not (await asker.one(asks, message())).missing
    own_server.kill(signal.SIGSTOP)
    started = time.monotonic()
    assert cause_of(await asker.one(asks, message())) == "state.deadline"
    assert time.monotonic() - started < 2
    assert cause_of(await asker.one(asks, message())) == "state.deadline"
    # The breaker is open now: nobody waits any more.
    assert cause_of(await asker.one(asks, message())) == "state.unavailable"
    assert asker.client.problem == "breaker"
    own_server.kill(signal.SIGCONT)
    await asker.up()
    # Late replies are read past: these are the answers to what is asked now.
    told = await asker.ask(asks, *[message()] * 40)
    assert not any(facts.missing for facts in told)
    assert asker.client.misses >= 2


async def test_killed_and_back(
    own_server: Any, own_projection: GovernanceProjection, connect: Any, message: Make
) -> None:
    asks = Asks(account=True)
    asker = await connect(own_server)
    own_server.written()
    own_server.kill(signal.SIGSTOP)
    waiting = asyncio.create_task(asker.one(asks, message()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    own_server.stop(signal.SIGKILL)
    facts = await waiting
    assert not facts.missing or cause_of(facts) == "state.unavailable"
    assert cause_of(await asker.one(asks, message())) == "state.unavailable"
    await own_server.start_aside()
    await asker.up()
    assert not (await asker.one(asks, message())).missing  # the append-only file kept the epoch


async def test_started_again_is_told(own_server: Any, own_projection: GovernanceProjection) -> None:
    """An append-only file, or a snapshot above all, may lack what was written last; the epoch does not show it."""
    await own_projection.rebuild([], SnapshotRows(1))
    assert not await own_projection.restarted()
    own_server.written()
    own_server.stop(signal.SIGKILL)
    await own_server.start_aside()
    assert await own_projection.confirm()
    assert await own_projection.restarted()
    await own_projection.rebuild([], SnapshotRows(2))
    assert not await own_projection.restarted()


async def test_emptied(
    own_server: Any, own_projection: GovernanceProjection, connect: Any, message: Make, everything: Asks
) -> None:
    asker = await connect(own_server)
    assert not (await asker.one(everything, message())).missing
    own_server.empty()
    facts = await asker.one(everything, message())
    assert dict(facts.missing) == dict.fromkeys(("account", "blocks", "repeats", "room"), "state.epoch")
    assert facts.fallback == ("limits:local",)
    assert not await own_projection.confirm()
    with pytest.raises(EpochLost):
        await own_projection.apply([])
    await own_projection.rebuild([], SnapshotRows(2))
    assert await own_projection.confirm()
    assert not (await asker.one(everything, message())).missing


async def test_replaced_by_an_older_one(
    own_server: Any, own_projection: GovernanceProjection, connect: Any, message: Make
) -> None:
    asks = Asks(account=True)
    await own_projection.rebuild([], SnapshotRows(2), 9)
    asker = await connect(own_server)
    assert not (await asker.one(asks, message())).missing
    own_server.cli("SET", "tg:epoch", "5")
    assert cause_of(await asker.one(asks, message())) == "state.epoch"
    assert not await own_projection.confirm()


async def test_an_epoch_learnt_while_messages_wait_for_their_call(
    own_server: Any, own_projection: GovernanceProjection, connect: Any, message: Make
) -> None:
    """Their keys were made for the epoch before: asked under the new one they would find nobody, and no block."""
    from gateway.control.acts.neighbours import Change

    blocked = Change("blocks", {"scope": "sender", "value": "m"}, {"reason": "x", "expires_at": 0, "limited": False})
    await own_projection.rebuild([[blocked]], SnapshotRows(1))
    asker = await connect(own_server)
    asks = Asks(blocks=True)
    assert (await asker.one(asks, message("m"))).blocks
    await own_projection.rebuild([[blocked]], SnapshotRows(2))
    epoch = own_server.cli("GET", "tg:epoch")
    waiting = asyncio.ensure_future(asker.ask(asks, message("m"), message("m")))
    asyncio.get_running_loop().call_soon(asker.client._learn, epoch)  # behind the asking, before the call goes out
    for facts in await waiting:
        assert facts.blocks


async def test_rebuilt_under_load(
    own_server: Any, own_projection: GovernanceProjection, connect: Any, message: Make
) -> None:
    """A new epoch is taken over within the same message: nothing is missing, nobody is innocent in between."""
    from gateway.control.acts.neighbours import Change

    blocked = Change("blocks", {"scope": "sender", "value": "m"}, {"reason": "x", "expires_at": 0, "limited": False})
    await own_projection.apply([blocked])
    asker = await connect(own_server)
    asks = Asks(account=True, blocks=True)
    for _ in range(5):
        rebuild = asyncio.create_task(own_projection.rebuild([[blocked]], SnapshotRows(3)))
        while not rebuild.done():
            facts = await asker.one(asks, message("m"))
            assert not facts.missing
            assert len(facts.blocks) == 1
    assert len(own_server.cli("SCAN", "0", "MATCH", "tg:*:b:*", "COUNT", "10000")[1]) == 1


async def test_a_script_nobody_knows_is_sent(
    own_server: Any, own_projection: GovernanceProjection, connect: Any, message: Make
) -> None:
    asker = await connect(own_server)
    own_server.stop()
    await own_server.start_aside()
    await asker.up()
    own_server.cli("EVAL", "return 1", "0")
    assert not (await asker.one(Asks(account=True), message())).missing


async def test_too_many_waiting(
    own_server: Any, own_projection: GovernanceProjection, connect: Any, message: Make
) -> None:
    asker = await connect(own_server, max_waiting=10, deadline=2.0)
    own_server.kill(signal.SIGSTOP)
    asking = asyncio.create_task(asker.ask(Asks(account=True), *[message()] * 15))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    own_server.kill(signal.SIGCONT)
    told = await asking
    assert [facts.missing.get("account") for facts in told] == [None] * 10 + ["state.busy"] * 5


@asynccontextmanager
async def liar(answers: Callable[[bytes], bytes]) -> AsyncIterator[str]:
    """A server that greets properly and then answers what it is told to."""
    folder = tempfile.mkdtemp(prefix="tg")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(1 << 16):
                if b"HELLO" in data:
                    writer.write(b"%1\r\n$5\r\nproto\r\n:3\r\n$1\r\n7\r\n*0\r\n$1\r\na\r\n$1\r\nb\r\n")
                else:
                    writer.write(answers(data))
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_unix_server(serve, f"{folder}/s")
    async with server:
        yield f"{folder}/s"
    shutil.rmtree(folder)


@pytest.mark.parametrize(
    "answer",
    [
        b"-LOADING Valkey is loading the dataset in memory\r\n",
        b"-READONLY You can't write against a read only replica.\r\n",
        b"-NOAUTH Authentication required.\r\n",
        b"-OOM command not allowed\r\n",
        b"-ERR something\r\n",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\x00\xff\xfe",
        b"+OK\r\n",
        b":1\r\n",
        b"*1\r\n:5\r\n",
        b"*2\r\n:5\r\n:5\r\n",
        b"*2\r\n:5\r\n$3\r\nx y\r\n",
        b"*2\r\n:5\r\n*6\r\n_\r\n_\r\n:0\r\n*3\r\n:9\r\n$1\r\nx\r\n:1\r\n*0\r\n*0\r\n",
        b"*2\r\n:5\r\n*6\r\n_\r\n$4\r\nwhat\r\n:0\r\n*0\r\n*0\r\n*0\r\n",
    ],
)
async def test_errors_and_garbage(answer: bytes, message: Make, everything: Asks) -> None:
    """Told at once, as an error; the client goes on or connects anew, and is well as soon as the server is."""
    mad = True

    def answers(data: bytes) -> bytes:
        return answer if mad else b"*2\r\n:5\r\n$7\r\n1 0 100\r\n"

    async with liar(answers) as path:
        client = StateClient(
            topology.fixed(Address(path=path)), Credentials(), StateSettings(reconnect=0.01, deadline=1.0)
        )
        await client.start()

        async def ask() -> Facts:
            done: asyncio.Future[Facts] = asyncio.get_running_loop().create_future()
            async with asyncio.timeout(5):
                while client.problem:
                    await asyncio.sleep(0.005)
                client.admit(message(), everything, Scan(), done.set_result)
                return await done

        facts = await ask()
        assert cause_of(facts) == "state.error"
        assert facts.fallback == ("limits:local",)
        mad = False
        assert not (await ask()).missing
        await client.close()


async def test_a_reply_to_nobody(message: Make) -> None:
    """One reply too many: what follows could be anybody's, so the connection is given up."""
    async with liar(lambda data: b"*2\r\n:5\r\n$7\r\n1 0 100\r\n" * 2) as path:
        client = StateClient(topology.fixed(Address(path=path)), Credentials(), StateSettings(reconnect=0.01))
        await client.start()
        while client.problem:
            await asyncio.sleep(0.005)
        told: list[Facts] = []
        client.admit(message(), Asks(account=True), Scan(), told.append)
        async with asyncio.timeout(5):
            while not client.problem:
                await asyncio.sleep(0.005)
        assert len(told) == 1
        await client.close()


async def test_a_late_loop_is_no_miss(
    server: Any, projection: GovernanceProjection, connect: Any, message: Make
) -> None:
    """The loop was blocked past the deadline while the answer lay in the socket: it is read before a miss is told."""
    asker = await connect(server, deadline=0.02)
    done: asyncio.Future[Facts]
    for _ in range(5):
        done = asyncio.get_running_loop().create_future()
        asker.client.admit(message(), Asks(account=True), Scan(), done.set_result)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        time.sleep(0.1)  # noqa: ASYNC251  # the fault itself: something blocks the loop
        assert not (await done).missing
    assert asker.client.misses == 0


async def test_wrong_password(own_server: Any, message: Make) -> None:
    from gateway.state.cold import embedded

    address, credentials = embedded.access(own_server.folder)
    client = StateClient(
        topology.fixed(address), Credentials(credentials.username, "no"), StateSettings(reconnect=0.01)
    )
    await client.start()
    async with asyncio.timeout(5):
        while client.problem == "connecting":
            await asyncio.sleep(0.005)
    assert client.problem == "WRONGPASS"
    await client.close()
