"""Sockets whose sender only the platform knows: asked with the first message, in order, and told of a no."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.websocket.frames import masked_frame
from gateway.websocket.opcodes import TEXT
from tests.gateway.senders.conftest import Bench as Senders

PING = masked_frame(TEXT, b'{"type":"ping"}')


@pytest.fixture
def senders() -> Senders:
    return Senders(cache=10.0, cache_unknown=2.0, deadline=2.0)


def opened(bench: Any, senders: Senders, cookie: bytes = b"session=a", sender: Any = ("whoami:",), **more: Any) -> Any:
    return bench.open(bench.route(whoami=senders.whoami, sender=sender, **more), cookie=cookie)


async def test_the_first_message_waits_and_all_that_comes_behind_it(bench: Any, senders: Senders) -> None:
    client = opened(bench, senders)
    client.send(PING)
    assert client.reached() == PING
    assert senders.platform.asked == [], "who only watches is not asked about"
    kept = client.say("one")
    assert len(senders.platform.asked) == 1
    assert not client.transport.reading
    more = client.say("two") + client.send(PING)
    assert not bench.state.waiting
    senders.platform.say({"id": "alice"})
    assert client.transport.reading
    assert [message.sender for message, _ in bench.state.waiting] == ["alice", "alice"]
    bench.judge()
    assert client.reached() == kept + more
    client.say("three")
    assert len(senders.platform.asked) == 1
    bench.judge()
    assert client.told() == []


async def test_it_is_asked_again_each_cache_time(bench: Any, senders: Senders) -> None:
    client = opened(bench, senders)
    client.say("one")
    senders.platform.say({"id": "alice"})
    senders.pass_time(10.5)
    client.send(PING)
    assert len(senders.platform.asked) == 1
    client.say("two")
    assert len(senders.platform.asked) == 2
    senders.platform.say({"id": "anna"})
    assert [message.sender for message, _ in bench.state.waiting] == ["alice", "anna"]


async def test_a_no_mutes_until_it_is_a_yes(bench: Any, senders: Senders) -> None:
    client = opened(bench, senders)
    client.say("one")
    senders.platform.say({}, 401)
    assert client.told() == [("reject", "sender.unknown"), ("mute", "sender.unknown")]
    client.say("two")
    assert client.told() == [("reject", "sender.unknown")]
    assert len(senders.platform.asked) == 1
    senders.pass_time(2.5)
    kept = client.say("three")
    senders.platform.say({"id": "alice"})
    bench.judge()
    assert client.told() == [("unmute", "sender.unknown")]
    assert client.reached() == kept
    assert bench.verdicts() == ["pass"]
    assert bench.metrics.refused_requests.values == {("chat", "sender.unknown"): 2}


async def test_a_no_closes_where_the_table_says_so(bench: Any, close_of: Any) -> None:
    senders = Senders(unknown="close")
    client = opened(bench, senders)
    client.say("one")
    senders.platform.say({}, 401)
    reject, close, frame = client.got()
    assert (reject["verdict"], close["verdict"], close["reason"]) == ("reject", "close", "sender.unknown")
    assert frame == close_of(1008, "socket.unknown_sender")


async def test_an_outage_refuses_and_mutes_nobody(bench: Any, senders: Senders) -> None:
    client = opened(bench, senders)
    for _ in range(60):
        client.say("one")
        senders.platform.fail()
        senders.pass_time(0.1)
    assert set(client.told()) == {("reject", "sender.unavailable")}
    client.say("two")
    senders.platform.say({"id": "alice"})
    bench.judge()
    assert bench.verdicts() == ["pass"]


async def test_a_log_out_is_felt_with_the_next_message(bench: Any, senders: Senders) -> None:
    client = opened(bench, senders)
    client.say("one")
    senders.platform.say({"id": "alice"})
    bench.judge()
    senders.end("a")
    client.say("two")
    senders.platform.say({}, 401)
    assert ("mute", "sender.unknown") in client.told()


async def test_what_was_sent_is_judged_though_its_sender_has_left(bench: Any, senders: Senders) -> None:
    client = opened(bench, senders)
    kept = client.say("one")
    client.transport.lose()
    assert "client" in client.released
    senders.platform.say({"id": "alice"})
    bench.judge()
    assert client.reached() == kept
    assert bench.outcomes() == {"id-2": "delivered"}


async def test_a_close_frame_waits_behind_it(bench: Any, senders: Senders) -> None:
    client = opened(bench, senders)
    kept = client.say("one")
    close = client.close()
    assert client.reached() == b""
    senders.platform.say({"id": "alice"})
    bench.judge()
    assert client.reached() == kept + close


async def test_a_socket_that_ended_meanwhile(bench: Any, senders: Senders, close_of: Any) -> None:
    client = opened(bench, senders)
    client.say("one")
    client.link.end("socket.stopping")
    senders.platform.say({"id": "alice"})
    assert not bench.state.waiting
    assert client.got() == [close_of(1012, "socket.stopping")]


async def test_credentials_that_are_not_plainly_one(bench: Any, senders: Senders) -> None:
    client = opened(bench, senders, b"session=a; session=b")
    client.say("one")
    assert client.told() == [("reject", "sender.twice")]
    assert senders.platform.asked == []


async def test_a_weak_sender_where_nobody_is_known(bench: Any, senders: Senders) -> None:
    client = opened(bench, senders, b"", ("whoami:", "ip:"))
    client.say("one")
    assert senders.platform.asked == []
    ((message, _),) = bench.state.waiting
    assert (message.sender, message.weak) == ("ip:192.0.2.1", True)


async def test_a_bridge_is_renewed_behind_the_messages(bench: Any) -> None:
    senders = Senders(cache=10.0, bridge=60.0)
    client = opened(bench, senders)
    client.say("one")
    senders.platform.say({"id": "alice"})
    senders.pass_time(10.5)
    client.say("two")
    senders.platform.fail()
    senders.pass_time(1.5)
    client.say("three")
    assert len(senders.platform.asked) == 3
    bench.judge()
    assert [one.get("degraded") for one in bench.journal.records if one["kind"] == "judged"] == [
        None, ["sender:bridged"], ["sender:bridged"],
    ]  # fmt: skip


async def test_a_reload_may_change_whom_is_asked(bench: Any, senders: Senders) -> None:
    client = opened(bench, senders)
    client.say("one")
    senders.platform.say({"id": "alice"})
    other = Senders(credentials=("header:X-Token",))
    bench.route(whoami=other.whoami, sender=("whoami:",))
    client.say("two")
    assert client.told()[0] == ("reject", "sender.unknown")  # it came without that one
    assert other.platform.asked == []
