"""A message that must be reviewed first, over a real node: parked under seal, told to its sender alone, counted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.e2e.lab import Lab, lab
from tests.e2e.node import Answer

Eventually = Callable[..., Awaitable[Any]]

pytestmark = pytest.mark.asyncio(loop_scope="module")

RULES = """
  { check = "keywords", action = "reject", on_error = "reject", ground = "agreement 3.1", lists = ["spam"] },
  { check = "review", action = "hold", on_error = "reject", ground = "comment provisions 5(3)" },
"""
REVIEW = f"""
[review]
key = "{"5a" * 32}"
on_cap = "reject"

[desk]
undo = "1s"

[appeals]
"""
SECRET = "the mayor said nothing"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def made(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lab]:
    folder: Path = tmp_path_factory.mktemp("holding")
    route = 'news = true\ncontent = "never"\nrelease = { ticket = true }'
    async with lab(folder, rules=RULES, route=route, more=REVIEW, known=False) as made:
        yield made
        await made.sound(SECRET)


async def says(made: Lab, sender: str, text: str = SECRET) -> Answer:
    return await made.node.say(sender, text)


async def until(condition: Callable[[], Awaitable[Any]], within: float = 30.0) -> Any:
    """The first true thing that it says."""
    async with asyncio.timeout(within):
        while not (value := await condition()):
            await asyncio.sleep(0.05)
        return value


async def state(made: Lab, held: Answer, **headers: str) -> Answer:
    return await made.node.ask("GET", held.json()["status_url"], headers=headers)


async def test_held_is_told_with_an_address_of_its_own(made: Lab, eventually: Eventually) -> None:
    held = await says(made, "alice")
    assert held.status == 202
    assert held.json()["status"] == "held"
    message_id = held.json()["message_id"]
    assert held.headers["tidegate-message-id"] == message_id
    assert (made.judged(message_id)["verdict"], made.upstream.received) == ("hold", [])
    assert (await made.outcome(message_id))["state"] == "held"
    told = await state(made, held)
    assert (told.status, told.json()["status"]) == (200, "held")
    assert "审核" in (await state(made, held, **{"Accept-Language": "zh"})).json()["title"]
    # Control has taken it over: the spool is empty, and the address says the same.
    await eventually(lambda: not list((made.node.folders.root / "park").rglob("*.spool")), 20.0)
    assert (await state(made, held)).json()["status"] == "held"


async def test_nobody_else_is_told(made: Lab) -> None:
    address = (await says(made, "bob")).json()["status_url"]
    for other in (f"{address[:-1]}{'0' if address[-1] != '0' else '1'}", address.rpartition(".")[0], f"{address}0"):
        assert (await made.node.ask("GET", other)).status == 404
    assert (await made.node.ask("POST", address, b"")).status == 501
    assert (await made.node.ask("DELETE", address.rpartition(".")[0])).status == 404


async def test_what_waits_is_nowhere_in_clear(made: Lab) -> None:
    await says(made, "carol")
    for path in made.node.folders.root.rglob("*"):
        if path.is_file():
            assert SECRET.encode() not in path.read_bytes(), path


async def test_a_fourth_of_one_sender_is_not_taken(made: Lab) -> None:
    told = [await says(made, "dora", f"{SECRET} {number}") for number in range(4)]
    assert [one.status for one in told] == [202, 202, 202, 429]
    assert told[3].json()["reason"] == "review.waiting"
    assert (await says(made, "emil")).status == 202


async def test_a_word_that_is_refused_does_not_wait(made: Lab) -> None:
    assert (await says(made, "fred", "代开发票")).status == 403


async def test_it_waits_over_a_restart(made: Lab) -> None:
    held = await says(made, "gina")
    await made.node.stop()
    await made.node.start()
    assert (await state(made, held)).json()["status"] == "held"
    assert [(await says(made, "gina", f"more {n}")).status for n in range(2)] == [202, 202]


async def withdrawn(made: Lab, held: Answer, method: str = "DELETE", more: str = "") -> None:
    """Control takes a message over within a moment; until then it is not there to be withdrawn."""
    answer = held

    async def done() -> bool:
        nonlocal answer
        answer = await made.node.ask(method, held.json()["status_url"] + more, b"" if method == "POST" else None)
        return answer.status != 503

    await until(done)
    assert (answer.status, answer.json()["status"]) == (200, "withdrawn"), answer


async def test_its_sender_withdraws_it_and_another_has_room(made: Lab, eventually: Eventually) -> None:
    first, *_ = [await says(made, "hugo", f"{SECRET} {number}") for number in range(3)]
    assert (await says(made, "hugo")).status == 429
    await withdrawn(made, first)
    await withdrawn(made, first, "POST", "/withdraw")  # twice means the same
    assert (await state(made, first)).json()["status"] == "withdrawn"
    message_id = first.json()["message_id"]
    reviews = [one for one in made.node.records() if one["kind"] == "review" and one["id"] == message_id]
    await eventually(lambda: "withdrawn" in _states(made, message_id), 20.0)
    assert all("person" not in one for one in reviews)

    async def room() -> bool:
        return (await says(made, "hugo")).status == 202

    await until(room)
    cases = (await made.node.manage("GET", f"/v1/review/cases?state=void&message={message_id}")).json()["cases"]
    assert [one["state"] for one in cases] == ["void"]


def _states(made: Lab, message_id: str) -> list[str]:
    return [one["state"] for one in made.node.records() if one["kind"] == "review" and one["id"] == message_id]


async def test_written_anew_it_takes_its_place_and_is_read_again(made: Lab, eventually: Eventually) -> None:
    first, *_ = [await says(made, "ines", f"{SECRET} {number}") for number in range(3)]
    message_id = first.json()["message_id"]

    async def case() -> dict[str, Any]:
        told = (await made.node.manage("GET", "/v1/review/cases?sender=ines&limit=500")).json()["cases"]
        told += (await made.node.manage("GET", "/v1/review/cases?sender=ines&state=claimed")).json()["cases"]
        return next((one for one in told if one["message_id"] == message_id), {})

    await until(case)
    number = (await case())["id"]
    await made.node.manage("POST", "/v1/review/cases:claim", {"cases": [number]})
    named = first.json()["status_url"].rpartition("/")[2]
    second = await made.node.say("ines", f"{SECRET} 0, corrected", **{"Tidegate-Supersedes": named})
    assert second.status == 202, second  # a fourth, in the place of one
    await eventually(lambda: "superseded" in _states(made, message_id), 20.0)
    assert (await state(made, first)).json()["status"] == "withdrawn"
    refused = await made.node.manage("POST", f"/v1/review/cases/{number}:approve", {})
    assert (refused.status, refused.json()["reason"]) == (409, "review.changed")
    shown = (await made.node.manage("GET", f"/v1/review/cases/{number}")).json()
    assert shown["message_id"] == second.json()["message_id"]
    assert shown["text"]["texts"] == [f"{SECRET} 0, corrected"]
    assert (await made.node.manage("POST", f"/v1/review/cases/{number}:approve", {})).status in (200, 202)


async def test_refused_its_sender_is_told_the_ground_and_how_to_appeal(made: Lab) -> None:
    held = await says(made, "jana")
    message_id = held.json()["message_id"]

    async def decided() -> bool:
        found = (await made.node.manage("GET", f"/v1/review/cases?message={message_id}")).json()["cases"]
        if not found:
            return False
        number = found[0]["id"]
        await made.node.manage("POST", "/v1/review/cases:claim", {"cases": [number]})
        body = {"ground": "agreement 3.1"}
        return (await made.node.manage("POST", f"/v1/review/cases/{number}:refuse", body)).status in (200, 202)

    await until(decided)
    told: dict[str, Any] = {}

    async def refused() -> bool:
        told.update((await state(made, held)).json())
        return bool(told["status"] == "refused")

    await until(refused)
    assert (told["ground"], len(told["appeal_code"])) == ("agreement 3.1", 10)
    assert told["appeal"] == f"https://platform.example/appeal?message={message_id}"
    page = await made.node.ask("GET", f"/appeals?code={told['appeal_code']}", headers={"Accept": "application/json"})
    assert (page.status, page.json()["state"]) == (200, "open")
