"""One judged socket: what goes up and in which order, with facts told as a test wants; reloads and split words."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from filters.reading.keywords import Scanner
from gateway.websocket.frames import close_payload, frame, masked_frame
from gateway.websocket.habits import Habits
from gateway.websocket.opcodes import CLOSE, CONTINUATION, PING, PONG, TEXT

# what goes up, and in which order


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
    client = bench.open(bench.route(habits=Habits(mute_after=None)))
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


async def test_a_fault_of_ours_fails_the_message_and_ends_the_socket(bench, close_of, monkeypatch):
    heard = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: heard.append(context["exception"]))
    fault = RuntimeError("broken on purpose")

    def broken(*_):
        raise fault

    client = bench.open()
    client.say("you idiot")
    client.say("next")
    monkeypatch.setattr("gateway.carriers.judged.masked_frame", broken)
    bench.judge()
    assert heard == [fault]
    assert bench.outcomes() == {"id-1": "failed", "id-2": "delivered"}
    assert client.got()[-1] == close_of(1011, "socket.failure")


async def test_a_message_that_cannot_be_read_is_not_sent_on_and_ends_the_socket(bench, close_of, monkeypatch):
    heard = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: heard.append(context["exception"]))
    fault = RuntimeError("broken on purpose")
    whole = Scanner.scan

    def scan(self, texts):
        if texts == ("first",):
            raise fault
        return whole(self, texts)

    monkeypatch.setattr(Scanner, "scan", scan)
    client = bench.open()
    client.say("first")
    client.say("second")
    bench.judge()
    assert heard == [fault]
    assert bench.outcomes() == {"id-2": "delivered"}
    assert client.got()[-1] == close_of(1011, "socket.failure")


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
    for text in ("代", "开", "哈哈", "发", "票", "票", "你好"):
        client.say(text)
        bench.judge()
    assert client.contents() == ["代", "开", "哈哈", "发", "你好"]  # the word cannot be ended by trying again
    refused = [one for one in bench.journal.records if one["kind"] == "judged" and one["verdict"] == "reject"]
    assert [one["content"]["plain"] for one in refused] == [["票"], ["票"]]
    finding = refused[0]["findings"][0]
    assert (finding["reason"], finding["spans"], finding["detail"]) == ("keyword.match", [[0, 1]], {"messages": 7})


async def test_a_word_that_several_people_write_is_recorded_and_shown(bench):
    route = bench.route(words="代开发票", crowd=True)
    for sender, text in (("alice", "代"), ("bob", "开"), ("alice", "哈哈"), ("carol", "发"), ("dave", "票")):
        client = bench.open(route, sender=sender)
        client.say(text)
        bench.judge()
        assert client.contents() == [text]
    last = [one for one in bench.journal.records if one["kind"] == "judged"][-1]
    (finding,) = last["shadow"]
    assert (last["verdict"], finding["reason"], finding["detail"]) == ("pass", "keyword.crowd", {"messages": 4})


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
