"""One judged socket: order, bounds, notices, mutes and reloads, with facts told in the order a test wants."""

from __future__ import annotations

import asyncio
import struct
from dataclasses import replace

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.http.problem import PlatformShape
from gateway.overlay import build as overlay_of
from gateway.state.snapshot import Snapshot
from gateway.websocket.frames import close_payload, frame, masked_frame
from gateway.websocket.habits import Habits
from gateway.websocket.opcodes import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT

HEADER = struct.Struct(">IHHII")


# what goes up


async def test_an_unchanged_frame_goes_up_as_the_bytes_that_came(bench):
    client = bench.open()
    sent = client.say("hello")
    assert client.reached() == b""  # nothing leaves before its record
    bench.judge()
    assert client.reached() == sent
    assert bench.outcomes() == {"id-1": "delivered"}
    assert [one["status"] for one in bench.journal.records if one["kind"] == "outcome"] == [101]
    assert client.got() == []


async def test_fragments_go_up_as_they_came(bench):
    client = bench.open()
    payload = orjson.dumps({"type": "message", "content": "hello"})
    first, ping, last = (
        masked_frame(TEXT, payload[:9], final=False),
        masked_frame(PING, b"p"),
        masked_frame(CONTINUATION, payload[9:]),
    )
    client.send(first + ping + last, step=5)
    assert client.reached() == ping  # a ping does not wait
    bench.judge()
    assert client.reached() == first + last


async def test_a_masked_text_is_written_again_and_told(bench):
    client = bench.open()
    client.say("you idiot", more=1)
    bench.judge()
    assert client.contents() == ["you *****"]
    (notice,) = client.got()
    assert notice["type"] == "tidegate.verdict"
    assert (notice["verdict"], notice["reason"], notice["category"]) == ("mask", "keyword.match", "abuse")
    assert (notice["message_id"], notice["ground"]) == ("id-1", "agreement 3.3")
    assert notice["appeal"] == "https://p.example/appeal?message=id-1"
    assert bench.outcomes() == {"id-1": "delivered"}


async def test_a_refused_message_is_dropped_and_told(bench):
    client = bench.open()
    client.say("spam!")
    kept = client.say("fine")
    bench.judge()
    assert client.reached() == kept
    (notice,) = client.got()
    assert (notice["verdict"], notice["reason"], notice["message_id"]) == ("reject", "keyword.match", "id-1")
    assert bench.verdicts() == ["reject", "pass"]


async def test_what_is_no_message_waits_behind_what_is_judged(bench):
    client = bench.open()
    ping = masked_frame(TEXT, b'{"type":"ping"}')
    client.send(ping)
    assert client.reached() == ping
    first = client.say("one")
    client.send(ping)
    assert client.reached() == b""
    bench.judge()
    assert client.reached() == first + ping


async def test_order_is_kept_whatever_the_order_of_facts(bench):
    client = bench.open()
    sent = [client.say(f"message {number}") for number in range(5)]
    bench.state.waiting.reverse()
    for _ in range(4):
        bench.judge(1)
        assert client.reached() == b""
    bench.judge(1)
    assert client.reached() == b"".join(sent)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_whatever_is_refused_the_rest_keeps_its_order(bench, data):
    bench.state.waiting.clear()
    client = bench.open(bench.route(habits=Habits(mute_quota=0)))
    wanted = []
    texts = data.draw(st.lists(st.sampled_from(["fine", "spam", "idiot", "ping"]), max_size=12))
    for number, text in enumerate(texts):
        if text == "ping":
            client.send(masked_frame(TEXT, orjson.dumps({"type": "ping", "content": number})))
            wanted.append(number)
        else:
            client.say(f"{text} {number}")
            if text != "spam":
                wanted.append(f"{text} {number}".replace("idiot", "*****"))
        if data.draw(st.booleans()) and bench.state.waiting:
            waiting = bench.state.waiting
            waiting.insert(0, waiting.pop(data.draw(st.integers(0, 50)) % len(waiting)))
            bench.judge(1)
    bench.judge()
    assert client.contents() == wanted
    assert len(client.told()) == sum(text in ("spam", "idiot") for text in texts)
    assert not bench.state.waiting


async def test_only_watching_is_never_judged(bench):
    client = bench.open(sender="")
    shown = client.arrives(frame(TEXT, b'{"content":"for all"}'))
    assert client.transport.written == shown
    client.got()
    client.say("from nobody")
    (notice,) = client.got()
    assert (notice["verdict"], notice["reason"]) == ("reject", "sender.missing")
    assert "log in" in notice["title"]  # what helps, not only that something failed
    assert not bench.state.waiting
    assert bench.metrics.refused_requests.values == {("chat", "sender.missing"): 1}


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (masked_frame(TEXT, b'{"type":'), "body.not_json"),
        (masked_frame(TEXT, b'{"type":"other"}'), "frame.unknown"),
        (masked_frame(TEXT, b'{"type":"message"}'), "text.missing"),
        (masked_frame(BINARY, b'{"type":"message","content":"x"}'), "frame.type"),
    ],
    ids=["not_json", "unknown", "missing", "type"],  # frames are masked anew in each process
)
async def test_what_cannot_be_read_is_dropped_and_told(bench, sent, reason):
    client = bench.open()
    client.send(sent)
    (notice,) = client.got()
    assert (notice["verdict"], notice["reason"]) == ("reject", reason)
    assert "message_id" not in notice
    assert client.reached() == b""
    kept = client.say("and the socket lives")
    bench.judge()
    assert client.reached() == kept


async def test_nothing_goes_up_that_is_not_recorded(bench):
    client = bench.open()
    client.say("hello")
    bench.journal.broken = True
    bench.judge()
    assert client.reached() == b""
    assert client.told() == [("reject", "journal.unavailable")]
    assert bench.journal.records == []


async def test_a_stale_mirror_refuses_and_records_without_asking_state(bench):
    fresh = [False]
    client = bench.open(bench.route(fresh=lambda: fresh[0]))
    client.say("a bullet")
    assert not bench.state.waiting
    bench.judge()
    (notice,) = client.got()
    assert (notice["verdict"], notice["reason"], notice["message_id"]) == ("reject", "mirror.unavailable", "id-1")
    assert notice["retry_after"] == 2
    (record,) = bench.journal.records
    assert (record["verdict"], record["findings"][0]["reason"]) == ("reject", "mirror.unavailable")
    fresh[0] = True
    kept = client.say("another")
    bench.judge()
    assert client.reached() == kept


# packets


def packet(body, operation=4):
    return HEADER.pack(HEADER.size + len(body), HEADER.size, 0, operation, 1) + body


async def test_of_a_batch_only_the_refused_packets_are_removed(bench):
    client = bench.open(bench.route(format="bilibili"))
    packets = [packet(orjson.dumps({"type": "message", "content": text})) for text in ("a", "spam", "you idiot")]
    heartbeat = packet(b"", 2)
    client.send(masked_frame(BINARY, packets[0] + packets[1] + heartbeat + packets[2]))
    assert len(bench.state.waiting) == 3
    bench.judge(2)
    assert client.reached() == b""
    bench.judge()
    (sent,) = client._up.feed(client.reached())
    masked = packet(orjson.dumps({"type": "message", "content": "you *****"}))
    assert (sent.opcode, sent.payload) == (BINARY, packets[0] + heartbeat + masked)
    assert bench.outcomes() == {"id-1": "delivered", "id-3": "delivered"}
    notices = client.got()
    told = [orjson.loads(payload[HEADER.size :]) for opcode, payload in notices if opcode == BINARY]
    assert [(one["verdict"], one["message_id"]) for one in told] == [("reject", "id-2"), ("mask", "id-3")]
    assert all(HEADER.unpack_from(payload)[3] == 5 for _, payload in notices)


async def test_a_batch_that_is_refused_whole_is_dropped(bench):
    client = bench.open(bench.route(format="bilibili"))
    client.send(masked_frame(BINARY, packet(b'{"type":"message","content":"spam"}') * 2))
    bench.judge()
    assert client.reached() == b""


@pytest.mark.parametrize("recorded", [True, False])
async def test_what_stands_beside_the_one_dropped_message_goes_up(bench, recorded):
    client = bench.open(bench.route(format="bilibili"))
    heartbeat = packet(b"", 2)
    text = "spam" if recorded else "fine"
    client.send(masked_frame(BINARY, heartbeat + packet(orjson.dumps({"type": "message", "content": text}))))
    bench.journal.broken = not recorded
    bench.judge()
    (sent,) = client._up.feed(client.reached())
    assert (sent.opcode, sent.payload) == (BINARY, heartbeat)
    assert bench.outcomes() == {}


async def test_too_many_packets_close_the_socket(bench, close_of):
    client = bench.open(bench.route(format="bilibili", max_packets=3))
    client.send(masked_frame(BINARY, packet(b"", 2) * 4))
    notice, close = client.got()
    assert orjson.loads(notice[1][HEADER.size :])["reason"] == "frame.too_many"
    assert close == close_of(1008, "socket.too_many_packets")


# notices


async def test_notices_wait_for_the_end_of_a_message(bench):
    client = bench.open()
    first, last = frame(TEXT, b'{"a":', final=False), frame(CONTINUATION, b"1}")
    client.arrives(first + last[:1])
    client.say("spam")
    bench.judge()
    assert client.transport.written == first + last[:1]
    client.arrives(last[1:] + first)
    assert client.got()[0] == {"a": 1}
    client.arrives(last)
    assert client.got() == [{"a": 1}]


async def test_the_platforms_own_shape_tells_refusals_and_not_masks(bench):
    shape = PlatformShape(200, {"cmd": "REFUSED", "msg": "{title}", "id": "{id}", "why": "{reason}"})
    client = bench.open(bench.route(shape=shape))
    client.say("spam")
    client.say("idiot")
    bench.judge()
    refused, masked = client.got()
    assert refused == {"cmd": "REFUSED", "msg": "The text breaks the rules", "id": "id-1", "why": "keyword.match"}
    assert masked["verdict"] == "mask"


async def test_a_client_that_reads_nothing_is_not_read_once_notices_pile_up(bench):
    client = bench.open(bench.route(habits=Habits(max_buffered=4096, mute_quota=0)))
    client.transport.stalled = True
    client.arrives(frame(BINARY, b"x" * 5000))
    assert not client.upstream.reading
    for number in range(40):
        if not client.transport.reading:
            break
        client.say(f"spam {number}")
        bench.judge()
    assert number == 16
    client.transport.flush()
    assert client.transport.reading
    assert client.upstream.reading
    assert len(client.told()) == 16


# mutes


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
    client = bench.open(bench.route(habits=Habits(mute_quota=3, mute_period=60, mute_for=30, ping_interval=0)))
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
    client = bench.open(bench.route(habits=Habits(mute_quota=2)))
    client.send(masked_frame(TEXT, b"{") * 2)
    assert client.told() == [("reject", "body.not_json")] * 2 + [("mute", "socket.muted")]


async def test_an_outage_of_ours_mutes_nobody(bench):
    client = bench.open(bench.route(habits=Habits(mute_quota=2), fresh=lambda: False))
    for _ in range(4):
        client.say("a bullet")
    bench.judge()
    assert client.told() == [("reject", "mirror.unavailable")] * 4


def snapshot(version, **document):
    return Snapshot({"version": version, **document})


def _never(*_):
    raise AssertionError("there is no word and no copy in these snapshots")


def switch(bench, *snapshots):
    for one in snapshots:
        bench.pipeline.overlay = overlay_of(one.document, _never, _never)
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


# reload


async def test_a_reload_changes_the_words_of_a_live_socket(bench):
    client = bench.open()
    client.say("harmless")
    bench.route(words="harmless")
    bench.judge()
    assert client.contents() == ["harmless"]  # judged by the route that it entered by
    client.say("harmless")
    bench.judge()
    assert client.told() == [("reject", "keyword.match")]
    assert client.transport.closed == ""


async def test_a_socket_outlives_its_route(bench):
    client = bench.open()
    bench.sockets.routes = {}
    client.say("spam")
    client.say("fine")
    bench.judge()
    assert client.contents() == ["fine"]
    route = bench.route(words="fine")
    moved = replace(route, settings=route.settings.model_copy(update={"match": "GET /else/{room}"}))
    bench.sockets.routes = {"chat": moved}
    client.say("fine")
    bench.judge()
    assert client.contents() == ["fine"]


# split words


async def test_a_word_split_over_consecutive_messages_is_found(bench):
    client = bench.open(bench.route(words="代开发票", consecutive=3))
    for text in ("代开", "发", "好"):
        client.say(text)
        bench.judge()
    assert client.contents() == ["代开", "发", "好"]
    for text in ("代开", "发", "票", "票", "你好"):
        client.say(text)
        bench.judge()
    assert client.contents() == ["代开", "发", "你好"]  # the word cannot be ended by trying again
    refused = [one for one in bench.journal.records if one["kind"] == "judged" and one["verdict"] == "reject"]
    assert [one["content"]["plain"] for one in refused] == [["票"], ["票"]]
    finding = refused[0]["findings"][0]
    assert (finding["reason"], finding["spans"], finding["detail"]) == ("keyword.match", [[0, 1]], {"messages": 3})


async def test_a_split_word_is_one_persons_in_one_place(bench):
    route = bench.route(words="代开发票", consecutive=2)
    alice, bob, elsewhere = bench.open(route), bench.open(route, sender="bob"), bench.open(route, room="g2")
    alice.say("代开")
    bench.judge()
    for other in (bob, elsewhere):
        other.say("发票")
        bench.judge()
        assert other.contents() == ["发票"]
    again = bench.open(route)  # another socket of hers, the same room
    again.say("发票")
    bench.judge()
    assert again.told() == [("reject", "keyword.match")]


async def test_a_fault_of_ours_fails_the_message_and_ends_the_socket(bench, close_of, monkeypatch):
    heard = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: heard.append(context["exception"]))
    fault = RuntimeError("broken on purpose")

    def broken(*_):
        raise fault

    client = bench.open()
    client.say("you idiot")
    client.say("next")
    monkeypatch.setattr("gateway.websocket.judged.masked_frame", broken)
    bench.judge()
    assert heard == [fault]
    assert bench.outcomes() == {"id-1": "failed", "id-2": "delivered"}
    assert client.got()[-1] == close_of(1011, "socket.failure")


async def test_pings_and_pongs_do_not_wait(bench):
    client = bench.open()
    client.say("being judged")
    ping, pong = client.ping(b"now"), client.pong(b"then")
    assert client.reached() == ping + pong
    assert client.arrives(frame(PONG, b"now")) == client.transport.written


async def test_a_close_waits_behind_what_is_judged(bench):
    client = bench.open()
    sent = client.say("last words")
    close = client.close(4001)
    assert client.reached() == b""
    bench.judge()
    assert client.reached() == sent + close
    client.arrives(frame(CLOSE, close_payload(4001)))
    assert client.transport.closed == "close"
