"""Messages on a socket that pass and wait for their time: in order, told to their sender, left out where refused."""

from __future__ import annotations

from typing import Any

import pytest

from filters.model.rule import Rule
from filters.model.verdict import Decided, Finding
from gateway.carriers.link import CLOSE_WAIT
from gateway.judging.hold import Holding
from gateway.parking.seal import Seal
from gateway.parking.settings import ReviewSettings
from gateway.parking.waiting import KnownWaiting
from gateway.websocket.frames import masked_frame
from gateway.websocket.opcodes import TEXT

NO = Decided(Rule("takedown", "reject", "reject", None, "order 7"), Finding("takedown", "delay.refused"), "reject")


class Spool:
    """Nothing is parked here: it gives addresses alone."""

    seal = Seal(bytes(32))


@pytest.fixture(autouse=True)
def settings(bench: Any) -> ReviewSettings:
    made = ReviewSettings(bytes(32), "reject", delayed_per_sender=3)
    spool: Any = Spool()
    bench.pipeline.holding = Holding(made, spool, KnownWaiting(lambda file: True))
    bench.pipeline.delays.configure(made, {"chat": 5.0})
    return made


def passes(bench: Any, seconds: float) -> None:
    bench.timers.pass_(seconds)
    bench.journal.write()
    bench.journal.write()  # outcomes


async def test_it_goes_up_as_it_came_when_its_time_is_over(bench: Any) -> None:
    client = bench.open(bench.route(delay=5.0))
    first, second = client.say("hello"), client.say("again")
    bench.judge()
    told = client.got()
    assert [(one["verdict"], one["reason"], one["retry_after"]) for one in told] == [("delay", "review.delayed", 5)] * 2
    assert told[0]["status_url"].startswith(f"/tidegate/review/{told[0]['message_id']}.")
    assert [one.get("delay") for one in bench.journal.records] == [5.0, 5.0]
    passes(bench, 4.9)
    assert (client.reached(), bench.outcomes()) == (b"", {})
    passes(bench, 0.2)
    assert client.reached() == first + second
    assert list(bench.outcomes().values()) == ["delivered", "delivered"]
    kinds = [one["kind"] for one in bench.journal.records]
    assert kinds == ["judged", "judged", "onward", "onward", "outcome", "outcome"]


async def test_what_is_no_message_waits_behind_and_a_ping_does_not(bench: Any) -> None:
    client = bench.open(bench.route(delay=5.0))
    said = client.say("hello")
    beat = client.send(masked_frame(TEXT, b'{"type":"ping"}'))
    ping = client.ping()
    bench.judge()
    assert client.reached() == ping
    passes(bench, 5.1)
    assert client.reached() == said + beat


async def test_a_takedown_leaves_it_out_and_tells_its_sender(bench: Any) -> None:
    client = bench.open(bench.route(delay=5.0))
    client.say("hello")
    second = client.say("again")
    bench.judge()
    first_id = client.got()[0]["message_id"]
    assert bench.pipeline.delays.refuse(first_id, NO)
    bench.journal.write()
    (told,) = client.got()
    assert (told["verdict"], told["reason"], told["ground"]) == ("reject", "delay.refused", "order 7")
    passes(bench, 5.1)
    assert client.reached() == second
    assert bench.outcomes()[first_id] == "refused"


async def test_who_leaves_has_sent_it_all_the_same(bench: Any) -> None:
    client = bench.open(bench.route(delay=30.0))
    said = client.say("hello")
    bench.judge()
    closing = client.close()
    bench.advance(CLOSE_WAIT + 1)  # nobody cuts what was promised to go up
    passes(bench, 30.1)
    assert client.reached() == said + closing
    assert list(bench.outcomes().values()) == ["delivered"]


async def test_a_platform_that_is_gone_by_then_has_not_got_it(bench: Any) -> None:
    client = bench.open(bench.route(delay=5.0))
    client.say("hello")
    bench.judge()
    client.upstream.lose()
    passes(bench, 5.1)
    assert list(bench.outcomes().values()) == ["failed"]


async def test_more_than_may_wait_are_refused_and_no_repeat(bench: Any) -> None:
    client = bench.open(bench.route(delay=5.0))
    for text in "abcd":
        client.say(text)
    bench.judge()
    assert client.told() == [("delay", "review.delayed")] * 3 + [("reject", "delay.waiting")]
    assert bench.verdicts() == ["pass"] * 3 + ["reject"]
    passes(bench, 5.1)
    assert len(client.reached()) > 0
    client.say("e")
    bench.judge()
    assert client.told() == [("delay", "review.delayed")]


async def test_what_is_refused_anyway_waits_for_nothing(bench: Any) -> None:
    client = bench.open(bench.route(delay=5.0))
    client.say("spam")
    bench.judge()
    assert client.told() == [("reject", "keyword.match")]
    assert "delay" not in bench.journal.records[0]
    assert bench.pipeline.delays.waiting == 0


async def test_what_cannot_be_recorded_does_not_wait(bench: Any) -> None:
    client = bench.open(bench.route(delay=5.0))
    client.say("hello")
    bench.journal.broken = True
    bench.judge()
    assert client.told() == [("reject", "journal.unavailable")]
    assert (bench.pipeline.delays.waiting, bench.timers.running) == (0, 0)


async def test_a_masked_one_waits_and_goes_up_masked(bench: Any) -> None:
    client = bench.open(bench.route(delay=5.0))
    client.say("you idiot")
    bench.judge()
    assert client.told() == [("delay", "review.delayed")]
    passes(bench, 5.1)
    assert client.contents() == ["you *****"]
    assert client.told() == [("mask", "keyword.match")]
