"""What mutes a live socket, and what its sender is told: refusals, blocks, switches."""

from __future__ import annotations

import asyncio

from gateway.common.units import Rate
from gateway.judging.overlay import build as overlay_of
from gateway.state.model.snapshot import Snapshot, decode
from gateway.websocket.frames import masked_frame
from gateway.websocket.habits import Habits
from gateway.websocket.opcodes import TEXT

# refusals


async def test_a_block_is_told_once_and_its_end_as_well(bench, blocked):
    client = bench.open()
    client.say("one")
    bench.judge(facts=blocked)
    assert client.told() == [("reject", "block.sender"), ("mute", "block.sender")]
    client.say("two")
    bench.judge(facts=blocked)
    assert client.told() == [("reject", "block.sender")]
    kept = client.say("three")
    bench.judge()
    assert client.told() == [("unmute", "block.sender")]
    assert client.reached() == kept
    assert bench.verdicts() == ["reject", "reject", "pass"]


async def test_a_blocked_senders_socket_is_closed_where_the_route_says_so(bench, blocked, close_of):
    client = bench.open(bench.route(habits=Habits(close_blocked=True)))
    client.say("one")
    bench.judge(facts=blocked)
    reject, close, frame_ = client.got()
    assert (reject["verdict"], close["verdict"], close["reason"]) == ("reject", "close", "block.sender")
    assert close["appeal"].endswith("id-1")
    assert frame_ == close_of(1008, "socket.blocked")


async def test_repeated_refusals_mute_and_the_end_is_told(bench):
    client = bench.open(bench.route(habits=Habits(mute_after=Rate(3, 60), mute_for=30, ping_interval=0)))
    for number in range(3):
        client.say(f"spam {number}")
        bench.judge()
    *_, mute = client.got()
    assert (mute["verdict"], mute["reason"], mute["retry_after"]) == ("mute", "socket.muted", 30)
    client.say("innocent")
    assert not bench.state.waiting  # refused without asking anybody
    bench.judge()
    (notice,) = client.got()
    assert (notice["verdict"], notice["reason"], notice["message_id"]) == ("reject", "socket.muted", "id-4")
    assert 0 < notice["retry_after"] <= 30
    ping = masked_frame(TEXT, b'{"type":"ping"}')
    client.reached()
    client.send(ping)
    assert client.reached() == ping  # watching goes on
    bench.advance(31)
    assert client.told() == [("unmute", "socket.muted")]
    kept = client.say("back again")
    bench.judge()
    assert client.reached() == kept


async def test_what_cannot_be_read_counts_towards_a_mute(bench):
    client = bench.open(bench.route(habits=Habits(mute_after=Rate(2, 60))))
    client.send(masked_frame(TEXT, b"{") * 2)
    assert client.told() == [("reject", "body.not_json")] * 2 + [("mute", "socket.muted")]


async def test_an_outage_of_ours_mutes_nobody(bench):
    client = bench.open(bench.route(habits=Habits(mute_after=Rate(2, 60)), fresh=lambda: False))
    for _ in range(4):
        client.say("a bullet")
    bench.judge()
    assert client.told() == [("reject", "mirror.unavailable")] * 4


# what people switch on


def snapshot(version, **document):
    return Snapshot(decode({"version": version, **document}))


def _never(*_):
    raise AssertionError("there is no word and no copy in these snapshots")


def switch(bench, *snapshots):
    for one in snapshots:
        bench.pipeline.overlay = overlay_of(one.rows, _never, _never)
        bench.sockets.on_snapshot(one, bench.pipeline.overlay)


FREEZE = {"kind": "freeze", "room": "g1", "ground": "emergency 1"}


async def test_a_switch_tells_whoever_it_concerns_before_they_write(bench):
    route = bench.route()
    here, there = bench.open(route), bench.open(route, room="g2")
    switch(bench, snapshot(1, switches=[FREEZE]))
    (notice,) = here.got()
    assert (notice["verdict"], notice["reason"], notice["ground"]) == ("mute", "switch.frozen", "emergency 1")
    assert there.got() == []
    here.say("may I?")
    bench.judge()
    assert here.told() == [("reject", "switch.frozen")]
    switch(bench, snapshot(2, switches=[FREEZE], urgent=[]), snapshot(3))
    assert here.told() == [("unmute", "switch.frozen")]


async def test_a_newly_blocked_sender_is_told_within_the_turn(bench, close_of):
    route = bench.route()
    alice, bob = bench.open(route), bench.open(route, sender="bob")
    row = {"scope": "sender", "value": "alice", "reason": "spam", "expires_at": 0}
    switch(bench, snapshot(1, blocks=[row]))
    assert (alice.told(), bob.told()) == ([("mute", "block.sender")], [])
    switch(bench, snapshot(2, blocks=[row | {"expires_at": 1}]))
    assert alice.told() == [("unmute", "block.sender")]
    closing_route = bench.route(habits=Habits(close_blocked=True))
    carol = bench.open(closing_route, sender="carol")
    switch(bench, snapshot(3, blocks=[row | {"value": "carol"}]))
    close, frame_ = carol.got()
    assert (close["verdict"], frame_) == ("close", close_of(1008, "socket.blocked"))


async def test_the_end_of_a_block_is_not_concluded_from_a_snapshot_that_never_named_it(bench, blocked):
    client = bench.open()
    client.say("one")
    bench.judge(facts=blocked)
    client.got()
    switch(bench, snapshot(1, switches=[{"kind": "freeze", "room": "elsewhere"}]), snapshot(2))
    assert client.got() == []


async def test_many_sockets_are_told_a_few_in_each_turn(bench):
    route = bench.route()
    clients = [bench.open(route) for _ in range(600)]
    switch(bench, snapshot(1, switches=[FREEZE]))
    assert sum(bool(client.transport.written) for client in clients) == 256
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert all(client.transport.written for client in clients)
