"""The sender of a held message is told what became of it, in their language; nobody else is told that it exists."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import orjson
import pytest

from gateway.common.channel import ChannelError
from gateway.http.server.problem import Problem
from gateway.http.server.sentences import Sentences
from gateway.http.wire.errors import HTTPError
from gateway.parking.seal import Seal
from gateway.parking.status_site import MOST_ASKED, STATES, StatusSite
from gateway.sentences.known import known
from gateway.sentences.own import NOTICES

SEAL = Seal(bytes(32))
WORDS = Sentences({tongue: {code: row.told(tongue) for code, row in known().items()} for tongue in ("zh", "en")},
                  {"zh": {}, "en": {}})  # fmt: skip


class Asked:
    """An exchange that remembers what was answered."""

    def __init__(self, path: str, method: bytes = b"GET", accept: bytes = b"en") -> None:
        self.method = method
        self.path = path.encode()
        self.accept = accept
        self.told: tuple[int, bytes, Any] | None = None
        self.refused: Problem | None = None

    def worded(self, problem: Problem) -> tuple[Problem, bytes]:
        return WORDS.told(problem, "", self.accept)

    def answer(self, status: int, lines: bytes, body: bytes) -> None:
        self.told = (status, lines, orjson.loads(body))

    def refuse(self, problem: Problem) -> None:
        self.refused = problem


class Site(StatusSite):
    """One whose control says ``state``, or does not answer where that is None."""

    def __init__(self, state: str | None) -> None:
        self.asked: list[str] = []
        self.tasks: set[asyncio.Task[None]] = set()

        async def ask(message_id: str) -> str:
            self.asked.append(message_id)
            if state is None:
                raise ChannelError("absent")
            return state

        super().__init__("/tidegate/review/", SEAL, ask, self.tasks)

    async def get(self, exchange: Asked) -> None:
        self.serve(cast(Any, exchange))
        await asyncio.gather(*self.tasks)


def address(message_id: str = "m1") -> str:
    return f"/tidegate/review/{message_id}.{SEAL.token(message_id)}"


@pytest.mark.parametrize("state", STATES)
async def test_each_state_is_told(state: str) -> None:
    site, english, chinese = Site(state), Asked(address()), Asked(address(), accept=b"zh-CN")
    await site.get(english)
    await site.get(chinese)
    assert site.asked == ["m1", "m1"]
    row = NOTICES[f"review.{state}"]
    for exchange, tongue in ((english, "en"), (chinese, "zh")):
        assert exchange.told is not None
        status, lines, told = exchange.told
        assert (status, told["status"], told["message_id"]) == (200, state, "m1")
        assert (told["title"], told.get("detail", "")) == row.told(tongue)
        assert b"Cache-Control: no-store" in lines


async def test_what_control_has_not_come_to_still_waits() -> None:
    for unknown in ("", "judged"):
        exchange = Asked(address())
        await Site(unknown).get(exchange)
        assert exchange.told is not None
        assert exchange.told[2]["status"] == "held"


async def test_control_that_does_not_answer_is_no_answer() -> None:
    exchange = Asked(address())
    await Site(None).get(exchange)
    assert exchange.refused is not None
    assert (exchange.refused.reason, exchange.refused.status) == ("review.unanswered", 503)


@pytest.mark.parametrize("path", ["/tidegate/review/", "/tidegate/review/m1", "/tidegate/review/m1.", address() + "0",
                                  address("m2").replace("m2", "m1"), "/tidegate/review/\xff.\xff"])  # fmt: skip
async def test_who_was_not_told_the_address_finds_nothing(path: str) -> None:
    site = Site("held")
    with pytest.raises(HTTPError) as refused:
        site.serve(cast(Any, Asked(path)))
    assert refused.value.reason == "route.unmatched"
    assert site.asked == []


async def test_it_is_only_read_and_not_by_too_many() -> None:
    site = Site("held")
    with pytest.raises(HTTPError):
        site.serve(cast(Any, Asked(address(), b"POST")))
    many = [Asked(address()) for _ in range(MOST_ASKED + 1)]
    for exchange in many:
        site.serve(cast(Any, exchange))
    await asyncio.gather(*site.tasks)
    assert sum(exchange.told is not None for exchange in many) == MOST_ASKED
    assert many[-1].refused is not None
    assert many[-1].refused.reason == "server.overloaded"
