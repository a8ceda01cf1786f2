"""A message that must be reviewed first, over a real node: parked under seal, told to its sender alone, counted."""

from __future__ import annotations

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
