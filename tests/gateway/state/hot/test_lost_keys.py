"""A key that is missing in state is not innocence: the snapshot is asked beside it, and says so."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from typing import Any

from filters.model.limits import Limit
from filters.model.message import Message
from filters.model.rule import Asks
from filters.model.verdict import RoomFact
from gateway.control.acts.neighbours import Change
from gateway.state.cold.governance_projection import GovernanceProjection
from gateway.state.model.snapshot import BlockRow, RoomRow, Snapshot, SnapshotRows

Make = Callable[..., Message]
WHO = {"sender": "mallory", "registrant": "g1", "device": "d1", "ip": "10.0.0.1", "room": "r1"}
BLOCKS = Asks(blocks=True)


def block(scope: str, value: str, *, limited: bool = False, expires_at: int = 0) -> Change:
    row = {"reason": "spam", "expires_at": expires_at, "limited": limited}
    return Change("blocks", {"scope": scope, "value": value}, row)


def snapshot(*blocks: BlockRow, rooms: tuple[RoomRow, ...] = (), whole: bool = True) -> Snapshot:
    return Snapshot(SnapshotRows(1, blocks=blocks, blocks_whole=whole, rooms=rooms, rooms_whole=whole))


def lose(server: Any, *letters: str) -> None:
    """Governance keys of these kinds go; the epoch stays."""
    for key in server.cli("SCAN", "0", "MATCH", "tg:[0-9]*", "COUNT", "100000")[1]:
        if key.split(b":")[2].decode() in letters:
            server.cli("DEL", key)


async def test_every_scope_of_block(server: Any, projection: GovernanceProjection, connect: Any, message: Make) -> None:
    asker = await connect(server)
    for scope, value in WHO.items():
        asker.client.on_snapshot(snapshot(BlockRow(scope, value, "spam")))
        facts = await asker.one(BLOCKS, message(**WHO))  # state never had the key
        assert [(one.scope, one.reason) for one in facts.blocks] == [(scope, "spam")]
        assert facts.fallback == ("blocks:snapshot",)
        assert not facts.missing
    assert asker.client.fallback.lost == len(WHO)


async def test_what_state_holds_is_told_once_and_is_no_loss(
    server: Any, projection: GovernanceProjection, connect: Any, message: Make
) -> None:
    asker = await connect(server)
    asker.client.on_snapshot(snapshot(BlockRow("sender", "mallory", "spam"), BlockRow("device", "d1", "farm")))
    await projection.apply([block("sender", "mallory"), block("device", "d1")])
    facts = await asker.one(BLOCKS, message(**WHO))
    assert [one.scope for one in facts.blocks] == ["sender", "device"]
    assert (facts.fallback, asker.client.fallback.lost) == ((), 0)
    await projection.apply([Change("blocks", {"scope": "sender", "value": "mallory"}, None)])
    facts = await asker.one(BLOCKS, message(**WHO))
    assert sorted(one.scope for one in facts.blocks) == ["device", "sender"]
    assert (facts.fallback, asker.client.fallback.lost) == (("blocks:snapshot",), 1)


async def test_nobody_else_is_touched(
    server: Any, projection: GovernanceProjection, connect: Any, message: Make
) -> None:
    asker = await connect(server)
    asker.client.on_snapshot(snapshot(BlockRow("sender", "mallory", "spam"), BlockRow("device", "alice", "a name")))
    facts = await asker.one(BLOCKS, message("alice", room="mallory"))
    assert (facts.blocks, facts.fallback) == ((), ())
    facts = await asker.one(Asks(account=True), message("mallory"))  # a policy that asks for no blocks
    assert (facts.blocks, facts.fallback) == ((), ())


async def test_an_older_value_in_state_lifts_no_wall(
    server: Any, projection: GovernanceProjection, connect: Any, message: Make
) -> None:
    """A block that was prolonged, in a server that lost the last write."""
    asker = await connect(server)
    asker.client.on_snapshot(snapshot(BlockRow("sender", "mallory", "spam", 4_000_000_000)))
    await projection.apply([block("sender", "mallory", expires_at=1_000_000)])
    facts = await asker.one(BLOCKS, message("mallory"))
    assert [one.expires_at for one in facts.blocks] == [4_000_000_000]
    asker.client.on_snapshot(snapshot(BlockRow("sender", "mallory", "spam", 1_000_000)))
    facts = await asker.one(BLOCKS, message("mallory"))
    assert (facts.blocks, facts.fallback) == ((), ())


async def test_a_limit_is_counted_where_it_is_held(
    server: Any, projection: GovernanceProjection, connect: Any, message: Make
) -> None:
    asker = await connect(server)
    asker.client.on_snapshot(snapshot(BlockRow("device", "d1", "campus", 0, True)))
    await projection.apply([block("device", "d1", limited=True)])
    told = await asker.ask(BLOCKS, *[message(device="d1")] * 3)
    assert [len(facts.blocks) for facts in told] == [0, 1, 1]
    assert {facts.fallback for facts in told} == {()}
    lose(server, "b")
    told = await asker.ask(BLOCKS, *[message(device="d1")] * 3)
    assert [len(facts.blocks) for facts in told] == [0, 1, 1]
    assert [facts.fallback for facts in told] == [("blocks:snapshot",)] * 3
    assert told[1].blocks[0].limited


async def test_rooms(server: Any, projection: GovernanceProjection, connect: Any, message: Make) -> None:
    asker = await connect(server)
    rooms = (RoomRow("quiet", "muted"), RoomRow("over", "closed"), RoomRow("slow", "slow", 30_000))
    asker.client.on_snapshot(snapshot(rooms=rooms))
    asks = Asks(room=True)
    muted, closed, first, second, bob, other = await asker.ask(
        asks,
        message(room="quiet"),
        message(room="over"),
        message(room="slow"),
        message(room="slow"),
        message("bob", room="slow"),
        message(room="r1"),
    )
    assert (muted.room, closed.room, first.room, bob.room) == (
        RoomFact("muted"),
        RoomFact("closed"),
        RoomFact("slow"),
        RoomFact("slow"),
    )
    assert 29 < second.room.retry_after <= 30
    assert other.room == RoomFact()
    assert {facts.fallback for facts in (muted, closed, first, second, bob)} == {("room:snapshot",)}
    assert other.fallback == ()


async def test_without_an_epoch_the_snapshot_speaks(
    server: Any, projection: GovernanceProjection, connect: Any, message: Make
) -> None:
    asker = await connect(server)
    asker.client.on_snapshot(snapshot(BlockRow("sender", "mallory", "spam"), rooms=(RoomRow("over", "closed"),)))
    server.empty()
    asks = Asks(account=True, blocks=True, room=True)
    asks.limit(Limit("sender", 4, 10_000_000), "enforce")
    mallory, alice, over = await asker.ask(asks, message("mallory"), message(), message("bob", room="over"))
    assert [one.scope for one in mallory.blocks] == ["sender"]
    assert (alice.blocks, alice.room) == ((), RoomFact())
    assert over.room == RoomFact("closed")
    for facts in (mallory, alice, over):
        assert facts.fallback == ("limits:local", "blocks:snapshot", "room:snapshot")
        assert dict(facts.missing) == {"account": "state.epoch"}


async def test_who_was_left_out_of_the_snapshot_is_not_innocent(
    server: Any, projection: GovernanceProjection, connect: Any, message: Make
) -> None:
    asker = await connect(server)
    parts = (BlockRow("sender", "mallory", "spam"),), (RoomRow("over", "closed"),)
    asker.client.on_snapshot(snapshot(*parts[0], rooms=parts[1], whole=False))
    server.empty()
    asks = Asks(blocks=True, room=True)
    mallory, alice, over = await asker.ask(asks, message("mallory"), message(), message("bob", room="over"))
    assert ([one.scope for one in mallory.blocks], dict(mallory.missing)) == (["sender"], {"room": "state.epoch"})
    assert dict(alice.missing) == dict.fromkeys(("blocks", "room"), "state.epoch")
    assert (over.room, dict(over.missing)) == (RoomFact("closed"), {"blocks": "state.epoch"})


async def test_a_verification_bridges_a_late_answer_and_nothing_else(
    own_server: Any, own_projection: GovernanceProjection, connect: Any, message: Make
) -> None:
    await own_projection.apply(
        [Change("accounts", {"sender": name}, {"verified": name != "carol", "verified_until": 9, "credit": 70})
         for name in ("alice", "bob", "carol")]
    )  # fmt: skip
    asker = await connect(own_server, deadline=0.02, misses=100)
    asks = Asks(account=True, blocks=True)
    alice, carol = await asker.ask(asks, message(), message("carol"))
    assert (alice.account.verified, carol.account.verified) == (True, False)
    own_server.kill(signal.SIGSTOP)
    late = await asker.ask(asks, message(), message("bob"), message("carol"))
    own_server.kill(signal.SIGCONT)
    assert [facts.verified for facts in late] == [alice.account, None, None]
    assert [facts.fallback for facts in late] == [("verified:recent",), (), ()]
    for facts in late:
        assert facts.account is None
        assert dict(facts.missing) == dict.fromkeys(("account", "blocks"), "state.deadline")
    await asyncio.to_thread(own_server.stop)
    gone = await asker.one(asks, message())
    assert (gone.verified, gone.fallback) == (None, ())  # state is away: that is no late answer
