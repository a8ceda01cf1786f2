"""Held messages at the desk: opened to be read, let through or refused by decisions."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.control.cases import cases
from gateway.control.cases.cases import Cause
from gateway.control.cases.rows import Case
from gateway.control.holding.rows import Held
from gateway.control.review.held_cases import UNOPENED, HeldEffect, HeldTexts
from gateway.control.review.neighbours import CaseText
from gateway.control.review.review_desk import ReviewDesk
from gateway.parking.parked import ParkedRequest
from gateway.parking.seal import Seal
from tests.gateway.control.review.conftest import FINDING, TEXT, Room

SEAL = Seal(bytes(32))
MASKED = ("buy **** here",)


class Elsewhere:
    """What is not held."""

    async def read(self, rows: Any) -> dict[int, CaseText]:
        return {case.id: CaseText(missing="unknown") for case in rows}


def parked(message: str, masked: tuple[str, ...] | None) -> bytes:
    request = ParkedRequest(
        message, 1, "comments", "comment", "r1", "u1", (TEXT,), "keywords.match", "g", (FINDING,), "p", "POST", "/c",
        (), b"{}", masked_texts=masked,
    )  # fmt: skip
    return SEAL.seal(message, request.encode())


class HeldRoom(Room):
    """The same people, and messages that are held."""

    def __init__(self, api: Any) -> None:
        super().__init__(api)
        plant = self.plant
        texts = HeldTexts(plant.database, lambda: self.seal, Elsewhere())
        plant.review = ReviewDesk(
            plant.ledger, lambda: self.desk.settings, texts, {cases.MESSAGE: HeldEffect(lambda: self.seal)},
            clock=lambda: self.desk.now * 1000,
        )  # fmt: skip
        at = next(place for place, one in enumerate(plant.services.features) if isinstance(one, ReviewDesk))
        services = list(plant.services.features)
        services[at] = plant.review
        object.__setattr__(plant.services, "features", tuple(services))
        self.seal: Seal | None = SEAL

    def hold(self, message: str = "m1", masked: tuple[str, ...] | None = None) -> int:
        sealed = parked(message, masked)
        number = self.open(message, Cause.HOLD)
        now = self.desk.now

        def work(session: Any) -> None:
            session.add(
                Held(
                    message_id=message, case_id=number, route="comments", surface="comment", room="r1", sender="u1",
                    weak=False, edit=False, reason="keywords.match", fingerprint="", at=now, expires_at=now + 10**9,
                    state="held", changed_at=now, size=len(sealed), sealed=sealed,
                )
            )  # fmt: skip

        self.plant.database.now(work)
        return number

    def held(self, message: str = "m1") -> Held:
        row: Held = self.plant.database.now(lambda session: session.get_one(Held, message))
        return row


@pytest.fixture
def held_room(api: Any) -> HeldRoom:
    return HeldRoom(api)


async def test_it_is_read_by_opening_what_is_sealed(held_room: HeldRoom) -> None:
    number = held_room.hold(masked=MASKED)
    shown = (await held_room.claim("ann", number))["result"]["cases"][0]
    assert shown["text"] == {"texts": [TEXT], "masked": list(MASKED), "findings": [FINDING], "missing": ""}
    assert shown["words"] == ["gold"]
    page = await held_room("ann", "GET", "/cases", state="claimed", words="true")
    assert page["cases"][0]["words"] == ["gold"]


async def test_without_its_key_it_is_told_and_what_is_not_held_is_read_elsewhere(held_room: HeldRoom) -> None:
    number, other = held_room.hold(), held_room.open("elsewhere")
    held_room.seal = None
    assert (await held_room("ann", "GET", f"/cases/{number}"))["text"]["missing"] == UNOPENED
    held_room.seal = Seal(b"k" * 32)
    assert (await held_room("ann", "GET", f"/cases/{number}"))["text"]["missing"] == UNOPENED
    assert (await held_room("ann", "GET", f"/cases/{other}"))["text"]["missing"] == "unknown"


async def test_refused_destroys_what_was_sealed_with_the_decision(held_room: HeldRoom) -> None:
    number = held_room.hold()
    await held_room.claim("ann", number)
    await held_room.do("ann", number, "refuse", ground="article 5")
    assert held_room.held().state == "held"  # it can still be taken back
    await held_room.later(10)
    row = held_room.held()
    assert (row.state, row.sealed) == ("refused", None)


async def test_approved_as_it_was_sent_or_masked(held_room: HeldRoom) -> None:
    whole, masked = held_room.hold(), held_room.hold("m2", MASKED)
    await held_room.claim("ann", whole, masked)
    await held_room.do("ann", whole, "approve")
    await held_room.do("ann", masked, "approve", masked=True)
    await held_room.later(10)
    assert [(row.state, row.texts) for row in map(held_room.held, ("m1", "m2"))] == [
        ("approved", None), ("approved", list(MASKED)),
    ]  # fmt: skip


async def test_what_waits_no_more_leaves_its_case_void(held_room: HeldRoom) -> None:
    number = held_room.hold()
    await held_room.claim("ann", number)
    await held_room.do("ann", number, "approve")

    def gone(session: Any) -> None:
        session.get_one(Held, "m1").state = "withdrawn"

    held_room.plant.database.now(gone)
    await held_room.later(10)
    case = held_room.plant.database.now(lambda session: session.get_one(Case, number))
    assert (case.state, case.tell) == ("void", "ann")
