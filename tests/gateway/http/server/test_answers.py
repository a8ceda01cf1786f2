"""What came of a request that nobody judges is counted once, by class of status."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.common.metrics import METRICS, AnswerCounts, Counts
from gateway.http.upstream.failure import UpstreamError
from tests.gateway.http.server.requests import HOST, OK, STREAMED, get

Answers = dict[str, int]


@pytest.fixture
def counts(bench: Any) -> Counts:
    made = Counts(METRICS["tidegate_relayed_requests_total"])
    answers = AnswerCounts(made, "pages")
    bench.gate.admit = lambda exchange: exchange.relay(bench.upstream, answers=answers)
    return made


def told(counts: Counts) -> Answers:
    assert {route for route, _ in counts.values} == {"pages"}
    return {kind: count for (_, kind), count in counts.values.items() if count}


async def test_an_answer_that_came_whole(bench: Any, counts: Counts) -> None:
    client = bench.connect()
    client.send(get())
    assert told(counts) == {}
    client.call.sink.on_whole(OK, b"ok")
    assert told(counts) == {"2xx": 1}


async def test_an_answer_that_is_streamed(bench: Any, counts: Counts) -> None:
    client = bench.connect()
    client.send(get())
    client.call.sink.on_head(OK, True)
    client.call.sink.on_data(b"ok")
    client.call.sink.on_end()
    assert told(counts) == {"2xx": 1}


async def test_an_upstream_that_fails_is_an_answer_of_ours(bench: Any, counts: Counts) -> None:
    client = bench.connect()
    client.send(get())
    client.call.sink.on_error(UpstreamError("upstream.refused", sent=False))
    assert told(counts) == {"5xx": 1}


async def test_an_answer_that_broke_off_counts_by_its_head(bench: Any, counts: Counts) -> None:
    client = bench.connect()
    client.send(get())
    client.call.sink.on_head(STREAMED, True)
    client.call.sink.on_error(UpstreamError("upstream.closed", sent=True))
    assert told(counts) == {"2xx": 1}


async def test_a_client_that_left_before_the_answer(bench: Any, counts: Counts) -> None:
    client = bench.connect()
    client.send(b"POST /up HTTP/1.1\r\n" + HOST + b"Content-Length: 10\r\n\r\nabc")
    client.protocol.connection_lost(None)
    assert told(counts) == {"gone": 1}


async def test_a_client_that_left_amid_the_answer(bench: Any, counts: Counts) -> None:
    client = bench.connect()
    client.send(get())
    client.call.sink.on_head(STREAMED, True)
    client.protocol.connection_lost(None)
    assert told(counts) == {"2xx": 1}


def test_every_class_has_its_cell_from_the_start() -> None:
    """A rate over a series that begins with its first count misses it."""
    made = Counts(METRICS["tidegate_relayed_requests_total"])
    answers = AnswerCounts(made, "")
    assert [kind for _, kind in made.values] == ["gone", "1xx", "2xx", "3xx", "4xx", "5xx"]
    for status in (None, 101, 200, 299, 304, 404, 499, 500, 599):
        answers.count(status)
    assert list(made.values.values()) == [1, 1, 2, 1, 2, 2]
