"""Sessions in the database: bounded, ended by what ends them, and worth nothing beside a database that lacks acts."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select

from gateway.control.access.roles import Role
from gateway.control.acts.refusal import ControlError
from gateway.control.console.sessions import console_sessions
from gateway.control.console.sessions.console_sessions import MOST, csrf_of
from gateway.control.console.sessions.rows import ConsoleSession
from tests.gateway.control.console.conftest import House


async def opened(house: House, name: str) -> str:
    sessions = house.plant.sessions
    token: str = await sessions.open(name, await sessions.password_of(name))
    return token


async def test_one_person_has_so_many(house: House) -> None:
    await house.add("li", Role.LEAD)
    tokens = [await opened(house, "li") for _ in range(MOST + 2)]
    sessions = house.plant.sessions
    known = [await sessions.known(token) is not None for token in tokens]
    assert known == [False, False, *[True] * MOST]


async def test_one_that_has_ended_is_left_in_no_table(house: House) -> None:
    await house.add("li", Role.LEAD)
    await opened(house, "li")
    later = house.plant.session_clock() + 13 * 3600 * 1_000_000
    house.plant.session_clock = lambda: later
    await opened(house, "li")
    count = select(func.count()).select_from(ConsoleSession)
    assert await house.plant.database.read(lambda session: session.scalar(count)) == 1
    assert await house.plant.database.run(lambda session: console_sessions.prune(session, later * 2)) == 1


async def test_a_page_that_asks_by_itself_keeps_nobody(house: House) -> None:
    await house.add("li", Role.LEAD)
    token, base = await opened(house, "li"), house.plant.session_clock()
    for minutes in range(0, 29, 2):
        house.plant.session_clock = lambda minutes=minutes: base + minutes * 60_000_000
        assert await house.plant.sessions.known(token, quiet=True) is not None
    house.plant.session_clock = lambda: base + 31 * 60_000_000
    assert await house.plant.sessions.known(token, quiet=True) is None


@pytest.mark.parametrize("table", ["people", "passwords"])
async def test_rows_that_the_database_may_not_speak_for_open_nothing(house: House, table: str) -> None:
    await house.add("li", Role.LEAD)
    token = await opened(house, "li")
    house.plant.ledger.authority.distrusted = frozenset({(table, "li")})
    assert await house.plant.sessions.known(token) is None
    assert await house.plant.sessions.password_of("li") == ""


async def test_an_act_asks_again(house: House) -> None:
    await house.add("li", Role.LEAD)
    sessions = house.plant.sessions
    token = await opened(house, "li")
    known = await sessions.known(token)
    assert known.caller.roles == {Role.LEAD}
    await house.plant.database.run(lambda session: console_sessions.ended_all(session, "li"))

    def work(session: Any) -> None:
        sessions.anew(session, known.caller)

    with pytest.raises(ControlError) as refused:
        await house.plant.database.read(work)
    assert (refused.value.status, refused.value.reason) == (401, "console.session_ended")


async def test_a_password_that_is_another_by_now_opens_nothing(house: House) -> None:
    await house.add("li", Role.LEAD)
    before = await house.plant.sessions.password_of("li")
    await house.api("PUT", "/v1/people/li/password", json={"reason": "r"})
    with pytest.raises(ControlError):
        await house.plant.sessions.open("li", before)


def test_the_mark_of_forms_tells_nothing_of_the_session() -> None:
    assert csrf_of("a" * 43) != csrf_of("a" * 42 + "b")
    assert "a" * 43 not in csrf_of("a" * 43)
