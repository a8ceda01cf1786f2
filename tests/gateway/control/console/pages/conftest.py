"""A desk with cases, at the console."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from gateway.control.cases import cases
from gateway.control.cases.cases import Cause
from gateway.control.console.sessions.console_sessions import Choice
from gateway.control.messages.index_client import IndexClient
from gateway.control.review.desk_settings import DeskSettings
from gateway.control.review.neighbours import CaseText
from tests.gateway.control.console.conftest import House

S = 1_000_000
FINDING = {"check": "keywords", "reason": "keyword.match", "field": 0, "spans": [[4, 8]], "category": "fraud"}


EVIL = '<script>alert("x")</script>\u202e'


class ConsoleDesk:
    """``case`` opens one with a text in which a word was found; its number."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.plant = house.plant
        self.desk = house.plant.desk
        self.desk.settings = DeskSettings(
            undo=10.0, grounds=("agreement 3.1", "agreement 3.2"), grave=frozenset({"gore"})
        )

    def case(self, message: str, text: str = "buy gold here", masked: Sequence[str] | None = None, **more: Any) -> int:
        now = self.desk.now
        given = {
            "route": "comments",
            "room": "r1",
            "sender": f"u-{message}",
            "due_at": now,
            "expires_at": now + 3600 * S,
        }
        given |= {"category": "fraud", "reason": "keyword.match", "fingerprint": "f" * 16} | more
        case = self.plant.database.now(lambda session: cases.open_case(session, message, Cause.HOLD, now=now, **given))
        self.desk.texts[case.id] = CaseText((text,), masked, (FINDING,))
        return int(case.id)

    async def row(self, number: int) -> dict[str, Any]:
        row: dict[str, Any] = await self.plant.database.read(lambda session: cases.get(session, number).as_row())
        return row

    async def choose(self, **values: Any) -> Choice:
        told: Choice = await self.house.api("PUT", "/v1/me/console", json=values)
        return told


@pytest.fixture
async def desk(house: House) -> ConsoleDesk:
    return ConsoleDesk(house)


class Index(IndexClient):
    """Answers with one message; ``asked``: what it was asked."""

    def __init__(self, record: dict[str, Any]) -> None:
        super().__init__(Path(), Path(), lambda: None, lambda: None)
        self.record = record
        self.asked: list[dict[str, Any]] = []

    async def search(self, asked: Any, limit: int, place: Any) -> dict[str, Any]:
        self.asked.append({**asked, "place": place})
        found = {"at": 5, "state": "delivered", "record": self.record, "events": []}
        told = {"complete": False, "behind": 9, "since": "", "problem": ""}
        return {"found": [found], "place": [[["node-0", "2026-11-30", 3]], ["", ""]], **told}

    async def message(self, message_id: str) -> dict[str, Any] | None:
        if message_id != self.record["id"]:
            return None
        outcome = {"kind": "outcome", "id": message_id, "time": 6, "state": "delivered", "status": 201}
        return {"at": 5, "state": "delivered", "record": self.record, "trail": [outcome], "whole": True}

    async def coded(self, code: str) -> Sequence[str]:
        return ()

    async def series(self) -> dict[str, Any]:
        return {}


@pytest.fixture
def index(house: House) -> Index:
    record = {
        "kind": "judged", "id": "m1", "time": 5, "route": "comments", "surface": "comment", "room": EVIL,
        "sender": "alice",
        "verdict": "pass", "policy": "p", "lists": {}, "content": {"key": "", "plain": [EVIL]},
        "findings": [{"check": "keywords", "reason": "keyword.match", "effect": "mask", "ground": EVIL}],
        "personal": {"key": "", "plain": {"ip": "192.0.2.7"}},
    }  # fmt: skip
    made = Index(record)
    house.plant.services.features.append(made)
    return made
