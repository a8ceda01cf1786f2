"""A number is never given twice, on either database."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from gateway.control.acts.numbering import counted, raise_counters
from gateway.control.blocks.rows import Block


def given(session: Session, value: str, **more: Any) -> int:
    row = {
        "scope": "sender",
        "value": value,
        "reason": "",
        "ground": "",
        "created_at": 1,
        "expires_at": 0,
        "limited": False,
    }
    made = session.execute(insert(Block).values(**row, **more).returning(Block.id)).scalar_one()
    return int(made)


def test_a_row_that_comes_with_its_number(plant: Any) -> None:
    def work(session: Session) -> list[int]:
        first = given(session, "a")
        given(session, "b", id=40)
        raise_counters(session.connection())
        return [first, given(session, "c")]

    assert plant.database.now(work) == [1, 41]


def test_numbers_that_were_given_elsewhere(plant: Any) -> None:
    def work(session: Session) -> list[int]:
        connection = session.connection()
        raise_counters(connection, {"blocks": 70})
        assert counted(connection).get("blocks") == 70
        found = given(session, "a")
        raise_counters(connection, {"blocks": 3})
        return [found, given(session, "b")]

    assert plant.database.now(work) == [71, 72]
