"""The sender of a held message is told what became of it, in their language; nobody else is told that it exists."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import orjson
import pytest

from gateway.appeals.appeal_address import AppealAddress
from gateway.appeals.codes import Codes
from gateway.common.channel import ChannelError
from gateway.http.server.problem import Problem
from gateway.http.server.sentences import Sentences
from gateway.http.wire.errors import HTTPError
from gateway.parking.seal import Seal
from gateway.parking.status_site import APPEALED, MOST_ASKED, STATES, Became, StatusSite, named_by
from gateway.sentences.known import known
from gateway.sentences.own import NOTICES

ID = "01a20094-b11c-7000-8001-0054a58fe235"
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
        self.lines: list[tuple[int, bytes]] = []

    def worded(self, problem: Problem) -> tuple[Problem, bytes]:
        return WORDS.told(problem, "", self.accept)

    def answer(self, status: int, lines: bytes, body: bytes) -> None:
        self.told = (status, lines, orjson.loads(body))

    def refuse(self, problem: Problem) -> None:
        self.refused = problem


class Site(StatusSite):
    """One whose control says ``state``, or does not answer where that is None."""

    def __init__(self, state: str | None, ground: str = "", appeals: dict[str, AppealAddress] | None = None) -> None:
        self.asked: list[str] = []
        self.withdrawn: list[str] = []
        self.tasks: set[asyncio.Task[None]] = set()
        self.state = state

        async def ask(message_id: str, withdraws: bool) -> Became:
            (self.withdrawn if withdraws else self.asked).append(message_id)
            if self.state is None:
                raise ChannelError("absent")
            if withdraws and self.state == "held":
                self.state = "withdrawn"
            return Became(self.state, "news", ground)

        super().__init__("/tidegate/review/", SEAL, ask, self.tasks, appeals or {})

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


@pytest.mark.parametrize(("method", "path"), [(b"DELETE", address()), (b"POST", address() + "/withdraw")])
async def test_its_sender_withdraws_it(method: bytes, path: str) -> None:
    site = Site("held")
    for _ in range(2):  # twice means the same
        exchange = Asked(path, method)
        await site.get(exchange)
        assert exchange.told is not None
        assert exchange.told[2]["status"] == "withdrawn"
    assert site.withdrawn == ["m1", "m1"]


async def test_too_late_and_not_yet_are_told_apart() -> None:
    for state, reason, status in (("approved", "review.decided", 409), ("", "review.unanswered", 503)):
        exchange = Asked(address(), b"DELETE")
        await Site(state).get(exchange)
        assert exchange.refused is not None
        assert (exchange.refused.reason, exchange.refused.status) == (reason, status)


async def test_a_page_of_another_host_may_withdraw() -> None:
    exchange = Asked(address(), b"OPTIONS")
    exchange.answer = lambda status, lines, body: exchange.lines.append((status, lines))  # type: ignore[method-assign]
    Site("held").serve(cast(Any, exchange))
    ((status, lines),) = exchange.lines
    assert (status, b"Access-Control-Allow-Methods: GET, HEAD, DELETE, POST\r\n" in lines) == (204, True)


@pytest.mark.parametrize("state", STATES)
async def test_how_one_appeals_is_told_where_there_is_something_to_appeal(state: str) -> None:
    codes = Codes(bytes(32))
    site = Site(state, "agreement 2", {"news": AppealAddress("/appeals?code={code}&m={id}", codes)})
    exchange = Asked(address(ID), accept=b"en")
    await site.get(exchange)
    assert exchange.told is not None
    told = exchange.told[2]
    if state in APPEALED:
        code = codes.code(ID)
        assert told["appeal_code"] == code
        assert (told["appeal"], told["ground"]) == (f"/appeals?code={code}&m={ID}", "agreement 2")
    else:
        assert told.keys().isdisjoint(("appeal", "appeal_code", "ground"))


async def test_what_was_written_anew_takes_the_older_one_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.parking.status_site._RETRY", 0.0)
    site = Site(None)
    site.published({b"host": b"a"})
    assert not site.tasks
    site.published({b"tidegate-supersedes": f"m1.{SEAL.token('m1')}".encode()})
    await asyncio.sleep(0)
    site.state = "held"
    await asyncio.gather(*site.tasks)
    assert set(site.withdrawn) == {"m1"}
    assert site.state == "withdrawn"
    site.published({b"tidegate-supersedes": b"m1.guessed"})
    assert not site.tasks


def test_what_an_address_names() -> None:
    token = SEAL.token("m1")
    for value in (f"m1.{token}", f"/tidegate/review/m1.{token}", f"https://a/tidegate/review/m1.{token}"):
        assert named_by(SEAL, value) == "m1"
    for value in ("", "m1", "m1.", f"m2.{token}", f".{token}", f"m1.{token}/"):
        assert named_by(SEAL, value) == ""


async def test_it_is_only_read_and_not_by_too_many() -> None:
    site = Site("held")
    for method, path in ((b"POST", address()), (b"PUT", address()), (b"GET", address() + "/withdraw")):
        with pytest.raises(HTTPError):
            site.serve(cast(Any, Asked(path, method)))
    many = [Asked(address()) for _ in range(MOST_ASKED + 1)]
    for exchange in many:
        site.serve(cast(Any, exchange))
    await asyncio.gather(*site.tasks)
    assert sum(exchange.told is not None for exchange in many) == MOST_ASKED
    assert many[-1].refused is not None
    assert many[-1].refused.reason == "server.overloaded"
