"""The client against a real server: every fact, as it comes back."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from typing import Any

from filters.model.limits import Limit
from filters.model.message import Message, Vouched
from filters.model.rule import Asks, Repeat
from filters.model.verdict import Account, RoomFact, Scan
from gateway.config.sections.state import State
from gateway.control.acts.neighbours import Change
from gateway.state import connecting
from gateway.state.cold import embedded, topology
from gateway.state.cold.governance_projection import GovernanceProjection
from gateway.state.model.keys import Keys
from gateway.state.model.snapshot import Snapshot, decode

Make = Callable[..., Message]


def account(sender: str, verified: bool = True, until: int = 0, credit: int = 100) -> Change:
    return Change("accounts", {"sender": sender}, {"verified": verified, "verified_until": until, "credit": credit})


def block(scope: str, value: str, *, expires_at: int = 0, limited: bool = False, reason: str = "spam again") -> Change:
    row = {"reason": reason, "expires_at": expires_at, "limited": limited}
    return Change("blocks", {"scope": scope, "value": value}, row)


def room(name: str, status: str, interval_ms: int = 0) -> Change:
    return Change("rooms", {"room": name}, {"status": status, "interval_ms": interval_ms})


def text(mark: bytes = b"12345678", length: int = 20) -> Scan:
    return Scan(fingerprint=mark, folded_length=length)


async def test_accounts(server: Any, projection: GovernanceProjection, connect: Any, message: Make) -> None:
    await projection.apply([account("alice"), account("张三", False, 1_900_000_000, 20)])
    asker = await connect(server)
    asks = Asks(account=True)
    alice, zhang, nobody = await asker.ask(asks, message("alice"), message("张三"), message("nobody"))
    assert alice.account == Account(True, 0, 100)
    assert zhang.account == Account(False, 1_900_000_000, 20)
    assert nobody.account is None
    assert not nobody.missing
    again = await asker.one(asks, message("alice"))
    assert again is alice  # a constant, not another object


async def test_every_scope_of_block(server: Any, projection: GovernanceProjection, connect: Any, message: Make) -> None:
    who = {"device": "d1", "ip": "10.0.0.1", "registrant": "g1"}
    everywhere = {"sender": "alice", "room": "r1", **who}
    asker = await connect(server)
    asks = Asks(blocks=True)
    for scope, value in everywhere.items():
        await projection.apply([block(scope, value)])
        (found,) = (await asker.one(asks, message("alice", **who))).blocks
        assert (found.scope, found.reason, found.limited) == (scope, "spam again", False)
        await projection.apply([Change("blocks", {"scope": scope, "value": value}, None)])
        assert (await asker.one(asks, message("alice", **who))).blocks == ()


async def test_an_expired_block_is_none(
    server: Any, projection: GovernanceProjection, connect: Any, message: Make
) -> None:
    asker = await connect(server)
    await projection.apply(
        [block("sender", "alice", expires_at=1_000_000), block("sender", "bob", expires_at=4_000_000_000)]
    )
    alice, bob = await asker.ask(Asks(blocks=True), message("alice"), message("bob"))
    assert alice.blocks == ()
    assert bob.blocks[0].expires_at == 4_000_000_000


async def test_a_block_that_is_a_limit(
    server: Any, projection: GovernanceProjection, connect: Any, message: Make
) -> None:
    asker = await connect(server)
    await projection.apply([block("ip", "10.0.0.1", limited=True)])
    asks = Asks(blocks=True)
    ours = message("alice", ip="10.0.0.1")
    first, second, other = await asker.ask(asks, ours, ours, message("alice", ip="10.0.0.2"))
    assert first.blocks == other.blocks == ()
    (found,) = second.blocks
    assert found.limited
    assert 9 < found.retry_after <= 10
    (found,) = (await asker.one(asks, ours)).blocks  # and in the next call
    assert found.limited


async def test_how_much_a_limited_block_lets_through_is_configured(
    server: Any, projection: GovernanceProjection, connect: Any, message: Make
) -> None:
    """``state.block_limit``: in state for blocks of one address, in the worker for ranges and while state is away."""
    configured = State(block_limit="2/1m")
    client = topology.redis(*embedded.access(server.folder))
    mine = GovernanceProjection(client, Keys(), limited=connecting.limited(configured))
    await mine.apply([block("ip", "10.0.0.1", limited=True)])
    await client.aclose()
    asker = await connect(server)
    ours = message("alice", ip="10.0.0.1")
    told = await asker.ask(Asks(blocks=True), ours, ours, ours)
    assert [len(facts.blocks) for facts in told] == [0, 0, 1]
    assert 29 < told[2].blocks[0].retry_after <= 30

    away = connecting.client(configured, server.folder, lambda: None)
    row = {"reason": "campus", "expires_at": 0, "limited": True}
    away.fallback.snapshot = Snapshot(decode({"version": 1, "ranges": [{"cidr": "10.0.0.0/8", **row}]}))
    found = away.fallback.snapshot.ranges.find("10.2.0.1")
    assert found is not None
    biting = [away.fallback.biting(found.block, "cidr:10.0.0.0/8", 1) for _ in range(3)]
    assert [one is None for one in biting] == [True, True, False]
    assert biting[2] is not None
    assert 29 < biting[2].retry_after <= 30


async def test_ranges_come_from_the_snapshot(
    server: Any, projection: GovernanceProjection, connect: Any, message: Make
) -> None:
    asker = await connect(server)
    ranges = [
        {"cidr": "10.0.0.0/8", "reason": "campus", "expires_at": 0, "limited": True},
        {"cidr": "10.1.0.0/16", "reason": "farm", "expires_at": 0, "limited": False},
        {"cidr": "2001:db8::/32", "reason": "old", "expires_at": 1, "limited": False},
    ]
    asker.client.on_snapshot(Snapshot(decode({"version": 2, "ranges": ranges})))
    asks = Asks(blocks=True)
    wall, first, second, expired = await asker.ask(
        asks, *(message(ip=ip) for ip in ("10.1.2.3", "10.2.0.1", "10.3.0.1", "2001:db8::1"))
    )
    assert wall.blocks[0].reason == "farm"
    assert first.blocks == expired.blocks == ()
    assert second.blocks[0].limited
    assert second.blocks[0].retry_after > 0


async def test_a_narrow_range_lifts_no_wide_one(
    server: Any, projection: GovernanceProjection, connect: Any, message: Make
) -> None:
    asker = await connect(server)
    ranges = [
        {"cidr": "2001:db8::/32", "reason": "farm", "expires_at": 0, "limited": False},
        {"cidr": "2001:db8:1:2::/64", "reason": "campus", "expires_at": 0, "limited": True},
        {"cidr": "2001:db8:1:3::/64", "reason": "old", "expires_at": 1, "limited": False},
    ]
    asker.client.on_snapshot(Snapshot(decode({"version": 2, "ranges": ranges})))
    told = await asker.ask(Asks(blocks=True), *(message(ip=f"2001:db8:1:{net}::1") for net in (2, 3, 4)))
    assert [[block.reason for block in facts.blocks] for facts in told] == [["farm"]] * 3


async def test_addresses_of_one_ipv6_network_share_a_limit(
    server: Any, projection: GovernanceProjection, connect: Any, message: Make
) -> None:
    asks = Asks(blocks=True)
    asks.limit(Limit("ip", 8, 100_000_000), "enforce")
    asker = await connect(server)
    told = await asker.ask(asks, *(message(f"u{last}", ip=f"2001:db8:1:2::{last:x}") for last in range(1, 41)))
    assert sum(facts.limits == (0,) for facts in told) == 8
    (other,) = await asker.ask(asks, message("v", ip="2001:db8:1:3::1"))
    assert other.limits == (0,)
    asks = Asks(blocks=True, ipv6_prefix=48)
    asks.limit(Limit("ip", 3, 100_000_000), "enforce")
    told = await asker.ask(asks, *(message(f"u{net}", ip=f"2001:db8:9:{net:x}::1") for net in range(1, 6)))
    assert sum(facts.limits == (0,) for facts in told) == 3


async def test_rooms(server: Any, projection: GovernanceProjection, connect: Any, message: Make) -> None:
    asker = await connect(server)
    await projection.apply(
        [room("quiet", "muted"), room("over", "closed"), room("slow", "slow", 30_000), room("a", "open")]
    )
    asks = Asks(room=True)
    muted, closed, first, second, other, opened = await asker.ask(
        asks,
        message(room="quiet"),
        message(room="over"),
        message(room="slow"),
        message(room="slow"),
        message("bob", room="slow"),
        message(room="a"),
    )
    assert muted.room == RoomFact("muted")
    assert closed.room == RoomFact("closed")
    assert first.room == other.room == RoomFact("slow", 0.0)
    assert 29 < second.room.retry_after <= 30
    assert opened.room == RoomFact()


async def test_limits_are_charged_together_or_not_at_all(
    server: Any, projection: GovernanceProjection, connect: Any, message: Make
) -> None:
    asks = Asks()
    asks.limit(Limit("sender", 5, 100_000_000), "enforce")
    asks.limit(Limit("room", 2, 100_000_000), "enforce")
    asker = await connect(server)
    told = await asker.ask(asks, *[message("alice", room="r1")] * 4)
    assert [facts.limits[1] > 0 for facts in told] == [False, False, True, True]
    assert all(facts.limits[0] == 0 for facts in told)
    told = await asker.ask(asks, *[message("alice", room="r2")] * 2, *[message("alice", room="r3")] * 2)
    # Two of the first four were refused by the room, so three of five are left.
    assert [facts.limits[0] > 0 for facts in told] == [False, False, False, True]


async def test_shadow_limits_count_apart(
    server: Any, projection: GovernanceProjection, connect: Any, message: Make
) -> None:
    limit = Limit("sender", 2, 100_000_000)
    asks = Asks()
    asks.limit(limit, "shadow")
    asks.limit(limit, "enforce")
    asks.limit(limit, "enforce")  # the same limit in two rules is charged once
    asker = await connect(server)
    told = await asker.ask(asks, *[message()] * 3)
    assert [tuple(wait > 0 for wait in facts.limits) for facts in told] == [(False,) * 3, (False,) * 3, (True,) * 3]
    strict = Asks()
    strict.limit(Limit("room", 1, 100_000_000), "enforce")
    strict.limit(Limit("sender", 2, 50_000_000), "shadow")
    told = await asker.ask(strict, *[message(room="x")] * 3)
    assert [facts.limits[0] > 0 for facts in told] == [False, True, True]
    assert [facts.limits[1] > 0 for facts in told] == [False, False, True]  # charged although the room refused


async def test_limits_scale_with_credit(
    server: Any, projection: GovernanceProjection, connect: Any, message: Make
) -> None:
    await projection.apply([account("low", credit=20), account("high", credit=90)])
    asks = Asks()
    asks.limit(Limit("sender", 4, 100_000_000, ((30, 0.25), (60, 0.5))), "enforce")
    asker = await connect(server)

    async def allowed(sender: str, vouched: Vouched | None = None) -> int:
        told = await asker.ask(asks, *[message(sender, vouched=vouched)] * 5)
        return sum(facts.limits == (0,) for facts in told)

    assert await allowed("low") == 1
    assert await allowed("high") == 4
    assert await allowed("nobody") == 4
    assert await allowed("vouched", Vouched(True, 0, 40)) == 2


async def test_repeats_of_one_sender(
    server: Any, projection: GovernanceProjection, connect: Any, message: Make
) -> None:
    asks = Asks()
    asks.repeat(Repeat("sender", 1, 60_000_000), "enforce")
    asker = await connect(server)
    told = await asker.ask(asks, message(), message(), message("bob"), scan=text())
    assert [facts.repeats[0].seen for facts in told] == [1, 2, 1]
    assert 59 < told[1].repeats[0].retry_after <= 60
    assert (await asker.one(asks, message(), text())).repeats[0].seen == 3
    assert (await asker.one(asks, message(), text(b"other"))).repeats[0].seen == 1
    assert (await asker.one(asks, message(), Scan())).repeats[0].seen == 1


async def test_repeats_across_senders(
    server: Any, projection: GovernanceProjection, connect: Any, message: Make
) -> None:
    asks = Asks()
    asks.repeat(Repeat("room", 2, 60_000_000, min_length=6, senders=3), "enforce")
    asks.repeat(Repeat("global", 2, 60_000_000, min_length=6, senders=2), "shadow")
    asker = await connect(server)
    senders = ["a", "a", "b", "c", "d"]
    told = await asker.ask(asks, *map(message, senders), scan=text())
    assert [tuple(fact[:2] for fact in facts.repeats) for facts in told] == [
        ((1, 1), (1, 1)),
        ((2, 1), (2, 1)),
        ((3, 2), (3, 2)),
        ((4, 3), (4, 2)),
        ((5, 3), (5, 2)),
    ]
    assert (await asker.one(asks, message("e", room="r2"), text())).repeats[0].senders == 1
    short = await asker.one(asks, message("e"), text(length=3))
    assert [fact.seen for fact in short.repeats] == [1, 1]


async def test_what_a_limit_refuses_leaves_no_mark(
    server: Any, projection: GovernanceProjection, connect: Any, message: Make
) -> None:
    await projection.apply([room("r1", "slow", 60_000)])
    asks = Asks(room=True)
    asks.limit(Limit("global", 1, 100_000_000), "enforce")
    asks.repeat(Repeat("sender", 1, 60_000_000), "enforce")
    asker = await connect(server)
    await asker.one(asks, message("first", room="elsewhere"), text(b"x"))
    for _ in range(2):
        facts = await asker.one(asks, message(), text())
        assert facts.limits[0] > 0
        assert facts.repeats[0].seen == 1
        assert facts.room.retry_after == 0


async def test_missing_optional_fields_ask_nothing(
    server: Any, projection: GovernanceProjection, connect: Any, message: Make
) -> None:
    asks = Asks(account=True, blocks=True, room=True)
    for scope in ("ip", "device", "room", "route", "global"):
        asks.limit(Limit(scope, 1, 100_000_000), "enforce")
    asker = await connect(server)
    first, second = await asker.ask(asks, message("", room=""), message("", room=""))
    assert first.limits == (0, 0, 0, 0, 0)
    assert [wait > 0 for wait in second.limits] == [False, False, False, True, True]


async def test_a_vouched_level_needs_no_account(
    server: Any, projection: GovernanceProjection, connect: Any, message: Make
) -> None:
    await projection.apply([account("alice", credit=5)])
    asker = await connect(server)
    facts = await asker.one(Asks(account=True), message(vouched=Vouched(True, 0, 50)))
    assert facts.account is None
    facts = await asker.one(Asks(account=True), message(vouched=Vouched(True)))
    assert facts.account == Account(True, 0, 5)


async def test_many_messages_of_many_policies_in_one_turn(
    server: Any, projection: GovernanceProjection, connect: Any, message: Make
) -> None:
    await projection.apply([account(f"u{number}", credit=number) for number in range(100)])
    asker = await connect(server)
    kinds = [Asks(account=True), Asks(account=True, blocks=True), Asks(account=True, room=True)]
    done = await asyncio.gather(
        *(asker.one(kinds[number % 3], message(f"u{number}", device="d" * (number % 2))) for number in range(100))
    )
    assert [facts.account.credit for facts in done] == list(range(100))


async def test_identifiers_of_every_kind(
    server: Any, projection: GovernanceProjection, connect: Any, message: Make
) -> None:
    names = ["{x}", "}", "a b\r\nc", "\x00", "🀄" * 40, "\udc80", "*" * 2000, "$5"]
    asks = Asks(account=True, blocks=True, room=True)
    asks.limit(Limit("sender", 1, 100_000_000), "enforce")
    asker = await connect(server)
    told = await asker.ask(asks, *(message(name, room=name) for name in names for _ in range(2)))
    assert [facts.limits[0] > 0 for facts in told] == [False, True] * len(names)
    assert not any(facts.missing for facts in told)


async def test_giving_back(server: Any, projection: GovernanceProjection, connect: Any, message: Make) -> None:
    await projection.apply([room("r1", "slow", 60_000), account("alice", credit=20)])
    asks = Asks(room=True)
    asks.limit(Limit("sender", 2, 100_000_000, ((50, 0.5),)), "enforce")
    asks.limit(Limit("sender", 1, 90_000_000), "shadow")
    asks.repeat(Repeat("sender", 1, 60_000_000), "enforce")
    asks.repeat(Repeat("room", 1, 60_000_000), "enforce")
    asks.repeat(Repeat("global", 1, 60_000_000), "enforce")
    asker = await connect(server)
    clean = await asker.one(asks, message(), text())
    asker.client.give_back(message(), asks, text())
    again = await asker.one(asks, message(), text())
    assert again == clean
    refused = await asker.one(asks, message(), text())
    assert all(refused.limits)
    assert [fact.seen for fact in refused.repeats] == [2, 2, 2]


async def test_nothing_is_left_for_the_collector_of_cycles(server: Any, connect: Any, message: Make) -> None:
    asks = Asks()
    asks.limit(Limit("sender", 1000, 1_000_000), "enforce")
    asks.repeat(Repeat("sender", 1000, 60_000_000), "enforce")
    asker = await connect(server)

    async def asked(times: int) -> None:
        for _ in range(times):
            await asker.one(asks, message(), text())
            asker.client.give_back(message(), asks, text())
            asker.client.return_ticket(7)
        await asker.one(asks, message(), text())

    await asked(3)  # what is remembered is there
    gc.collect()
    gc.disable()
    try:
        await asked(50)
        assert gc.collect() < 50  # for one thing of each message
    finally:
        gc.enable()


async def test_a_refusal_of_the_platform_gives_back_the_repeat_marks_alone(
    server: Any, projection: GovernanceProjection, connect: Any, message: Make
) -> None:
    asks = Asks()
    asks.limit(Limit("sender", 2, 100_000_000), "enforce")
    asks.repeat(Repeat("sender", 1, 60_000_000), "enforce")
    asker = await connect(server)
    for _ in range(2):
        facts = await asker.one(asks, message(), text())
        assert ([bool(limit) for limit in facts.limits], [fact.seen for fact in facts.repeats]) == ([False], [1])
        asker.client.give_back(message(), asks, text(), charge=False)
    refused = await asker.one(asks, message(), text())
    assert all(refused.limits)


async def test_a_failing_callback_takes_nobody_with_it(
    server: Any, projection: GovernanceProjection, connect: Any, message: Make
) -> None:
    asker = await connect(server)
    blamed: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: blamed.append(context))

    def fail(facts: Any) -> None:
        raise RuntimeError("mine")

    asker.client.admit(message(), Asks(account=True), Scan(), fail)
    facts = await asker.one(Asks(account=True), message())
    assert not facts.missing
    assert len(blamed) == 1


async def taken(asker: Any, ticket: int, message_id: str) -> bool:
    told: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
    asker.client.take_ticket(ticket, message_id, told.set_result)
    assert not told.done()
    async with asyncio.timeout(5):
        return await told


async def test_a_ticket_is_one_messages_at_a_time_on_whichever_worker(server: Any, connect: Any) -> None:
    one, other = await connect(server), await connect(server)
    both = await asyncio.gather(taken(one, 7, "m1"), taken(other, 7, "m2"))
    assert sorted(both) == [False, True]
    assert await taken(one, 8, "m3")  # another ticket
    assert not await taken(other, 7, "m4")
    other.client.return_ticket(7)
    assert await taken(one, 7, "m4")


async def test_a_ticket_that_state_does_not_tell_of_is_not_had(server: Any, connect: Any) -> None:
    asker = await connect(server)
    await asker.client.close()
    assert not await taken(asker, 7, "m1")
    asker.client.return_ticket(7)
