"""One question a credential, answers for a while, failures as declared, bridges that end with a log-out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gateway.common.units import Rate
from gateway.surfaces.input.request import Told

UNAVAILABLE = Told(reason="sender.unavailable")


def test_one_question_for_everybody_who_waits(make_bench: Callable[..., Any]) -> None:
    bench = make_bench()
    assert bench.look("a").pending
    first, second = bench.ask("a"), bench.ask("a")
    assert bench.platform.asked == [b"GET /me HTTP/1.1\r\nHost: p.example\r\nAccept: */*\r\nCookie: session=a\r\n\r\n"]
    assert (first.told, second.told) == ([], [])
    bench.platform.say({"id": "alice"})
    assert first.told == second.told == [Told("alice")]
    assert bench.look("a") == Told("alice")
    assert bench.ask("a").told == [Told("alice")]
    assert bench.counted("questions") == {"known": 1}


def test_an_answer_has_its_time(make_bench: Callable[..., Any]) -> None:
    bench = make_bench(cache=10.0, cache_unknown=2.0)
    bench.know("a", "alice")
    stranger = bench.ask("x")
    bench.platform.say({}, 401)
    assert stranger.told == [Told()]
    bench.pass_time(1.5)
    assert (bench.look("a"), bench.look("x")) == (Told("alice"), Told())
    bench.pass_time(1.0)
    assert bench.look("x").pending
    bench.pass_time(8.0)
    assert bench.look("a").pending
    again = bench.ask("a")
    bench.platform.say({"id": "anna"})  # the credential is somebody else's now
    assert (again.told, bench.look("a")) == ([Told("anna")], Told("anna"))


def test_a_deadline_is_a_failure(make_bench: Callable[..., Any]) -> None:
    bench = make_bench(deadline=2.0)
    waiting = bench.ask("a")
    bench.pass_time(1.5)
    assert waiting.told == []
    bench.pass_time(1.0)
    assert waiting.told == [UNAVAILABLE]
    assert bench.platform.calls[0].aborted
    bench.platform.sinks[0].on_error(None)  # too late, and nobody waits
    assert waiting.told == [UNAVAILABLE]
    assert bench.look("a").pending, "a failure is not remembered"
    assert bench.whoami.asking == 0


def test_on_error_pass_says_why(make_bench: Callable[..., Any]) -> None:
    bench = make_bench(on_error="pass")
    waiting = bench.ask("a")
    bench.platform.fail()
    assert waiting.told == [Told(degraded="sender:unreachable")]


def test_a_bridge(make_bench: Callable[..., Any]) -> None:
    bench = make_bench(cache=10.0, bridge=60.0, deadline=1.0)
    bench.know("a", "alice")
    bench.pass_time(10.5)
    first = bench.ask("a")
    bench.platform.fail()
    bridged = Told("alice", degraded="sender:bridged")
    assert first.told == [bridged]
    assert bench.look("a") == bridged, "nobody waits while it lasts"
    asked = len(bench.platform.asked)
    for _ in range(5):  # behind the messages, once a second
        bench.whoami.ask({b"cookie": b"session=a"}, frozenset(), "", None)
    assert len(bench.platform.asked) == asked
    bench.pass_time(1.1)
    for _ in range(5):
        bench.whoami.ask({b"cookie": b"session=a"}, frozenset(), "", None)
    assert len(bench.platform.asked) == asked + 1
    bench.platform.say({"id": "alice"})
    assert bench.look("a") == Told("alice")

    bench.pass_time(10.5)
    bench.ask("a")
    bench.platform.fail()
    bench.heard = False  # of log-outs: then it may have been one
    assert bench.look("a").pending
    bench.heard = True
    bench.pass_time(61)
    assert bench.look("a").pending, "it is bounded"
    late = bench.ask("a")
    bench.platform.fail()
    assert late.told == [UNAVAILABLE]


def test_the_first_word_of_a_platform_that_is_back_counts(make_bench: Callable[..., Any]) -> None:
    bench = make_bench(cache=1.0, bridge=60.0)
    bench.know("a", "alice")
    bench.pass_time(1.5)
    bench.ask("a")
    bench.platform.fail()
    bench.pass_time(1.1)
    bench.whoami.ask({b"cookie": b"session=a"}, frozenset(), "", None)
    bench.platform.say({}, 401)
    assert bench.look("a") == Told()


def test_a_log_out_ends_the_entry_the_bridge_and_all_of_the_same_person(make_bench: Callable[..., Any]) -> None:
    bench = make_bench(cache=1.0, bridge=60.0)
    bench.know("a", "alice")
    bench.know("b", "alice")
    bench.know("c", "carol")
    bench.pass_time(1.5)
    bench.ask("a")
    bench.platform.fail()
    assert bench.look("a").sender == "alice"
    (name,) = bench.end("a")
    assert bench.look("a").pending
    assert bench.look("b").pending
    assert bench.whoami.senders.known.keys() == {bench.whoami.key({b"cookie": b"session=c"}, frozenset())}
    waiting = bench.ask("a")
    bench.platform.fail()
    assert waiting.told == [UNAVAILABLE]
    assert bench.whoami.end(name) == []  # told again by others


def test_an_answer_under_way_is_not_kept(make_bench: Callable[..., Any]) -> None:
    """By its own credential, by its person's name, or where too many ended to be remembered."""
    bench = make_bench()
    for end in (
        lambda: bench.end("a"),
        lambda: bench.whoami.end(bench.whoami._credentials.of_sender("alice")),
        bench.whoami.end_all,
    ):
        waiting = bench.ask("a")
        end()
        bench.platform.say({"id": "alice"})
        assert waiting.told == [Told("alice")]
        assert bench.look("a").pending
        bench.pass_time(10)
    bench.know("a", "alice")
    assert bench.look("a") == Told("alice")


def test_caps(make_bench: Callable[..., Any]) -> None:
    bench = make_bench(max_asking=4, max_asking_address=5, max_waiting=6, deadline=2.0)
    waiting = [bench.ask(f"x{number}") for number in range(5)]
    assert len(bench.platform.asked) == 3, "a quarter is for those who were known"
    assert bench.ask("y").told == [UNAVAILABLE]  # of this address
    other = bench.ask("z", "198.51.100.1")
    assert other.told == []
    assert bench.ask("zz", "198.51.100.1").told == [UNAVAILABLE]  # nobody more may wait
    assert bench.counted("put_off") == {"address": 1, "waiting": 1}
    bench.platform.say({"id": 1})
    assert len(bench.platform.asked) == 4
    assert waiting[0].told == [Told("1")]
    bench.pass_time(2.5)
    assert all(one.told == [UNAVAILABLE] for one in (*waiting[1:], other))
    assert bench.counted("questions") == {"known": 1, "deadline": 3, "busy": 2}


def test_who_was_known_is_asked_for_before_strangers(make_bench: Callable[..., Any]) -> None:
    bench = make_bench(max_asking=4, max_asking_address=100, max_asked=Rate(8, 1.0), cache=1.0, deadline=5.0)
    bench.know("a", "alice")
    bench.pass_time(1.5)
    for number in range(50):
        bench.ask(f"x{number}")
    before = len(bench.platform.asked)
    known = bench.ask("a")
    assert len(bench.platform.asked) == before + 1
    bench.platform.sinks[-1].on_whole(*_answer(b'{"id":"alice"}'))
    assert known.told == [Told("alice")]
    bench.platform.sinks.pop()
    asked = len(bench.platform.asked)
    for _ in range(20):
        while bench.platform.sinks:
            bench.platform.say({}, 401)
        bench.pass_time(0.1)
    assert len(bench.platform.asked) - asked <= 8 * 2 + 2, "so many in a second"


def _answer(body: bytes) -> tuple[Any, bytes]:
    from gateway.http.wire.head import parse_response

    return parse_response(b"HTTP/1.1 200 OK\r\nContent-Length: %d" % len(body)), body


def test_a_flood_pushes_nobody_out(make_bench: Callable[..., Any]) -> None:
    rate = Rate(1_000_000, 1.0)
    bench = make_bench(
        max_known=100, max_unknown=100, max_asked=rate, max_asked_address=rate, max_asking_address=1000, cache=1000.0
    )
    for number in range(100):
        bench.know(f"s{number}", number)
    for number in range(1000):
        bench.ask(f"x{number}")
        bench.platform.say({}, 401)
    assert all(bench.look(f"s{number}") == Told(str(number)) for number in range(100))
    assert bench.counted("evictions") == {"unknown": 900}
    bench.know("more", 1)
    assert bench.counted("evictions") == {"unknown": 900, "known": 1}


@pytest.mark.parametrize("sort", ["a=1; session=b; session=c", "session=b; SESSION=c", 'session="b'])
def test_what_is_not_plainly_one_credential(make_bench: Callable[..., Any], sort: str) -> None:
    bench = make_bench()
    told = bench.whoami.look({b"cookie": sort.encode()}, frozenset())
    assert told.reason in ("sender.twice", "sender.malformed")
    assert not told.pending
    assert bench.platform.asked == []


def test_no_credential_asks_nobody(make_bench: Callable[..., Any]) -> None:
    bench = make_bench()
    for sent in ({}, {b"cookie": b"session="}, {b"cookie": b"other=1"}):
        assert bench.whoami.look(sent, frozenset()) == Told()
