"""Held messages at the desk: opened to be read, let through or refused by decisions."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.control.cases import cases
from gateway.control.cases.cases import Cause
from gateway.control.cases.rows import Case
from gateway.control.holding import tickets
from gateway.control.holding.rows import Held, Release, Ticket
from gateway.control.releasing.wanted_gone import HeldTakedowns
from gateway.control.review.held_cases import UNOPENED, HeldEffect, HeldTexts
from gateway.control.review.neighbours import CaseText
from gateway.control.review.review_desk import ReviewDesk
from gateway.control.takedowns.rows import Takedown
from gateway.judging.resending import digest
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
        self.records: dict[str, Any] = {}
        effect = HeldEffect(
            lambda: self.seal, self.records.get, HeldTakedowns(lambda: self.desk.now * 1000), lambda route: 60.0
        )
        plant.review = ReviewDesk(
            plant.ledger, lambda: self.desk.settings, texts, {cases.MESSAGE: effect},
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


async def again(room: HeldRoom, first: str, then: str, state: str = "") -> int:
    """A case that was decided, reopened by the lead, and decided by somebody else."""
    number = room.hold()
    await room.claim("ann", number)
    await room.do("ann", number, first, **({"ground": "article 5"} if first == "refuse" else {}))
    assert (await room.do("lea", number, "reopen", reason="more is known"))["reason"] == "review.not_done"
    await room.later(10)
    if state:
        room.plant.database.now(lambda session: setattr(session.get_one(Held, "m1"), "state", state))
    made = (await room.do("lea", number, "reopen", reason="more is known"))["result"]
    assert (made["reopens"], made["state"], made["causes"][0]["cause"]) == (number, "waiting", "reopened")
    await room.claim("ann", made["id"])
    assert room.status == 403  # who decided it does not decide again
    await room.claim("bob", made["id"])
    await room.do("bob", made["id"], then, **({"ground": "article 6"} if then == "refuse" else {}))
    await room.later(10)
    return int(made["id"])


def case_state(room: HeldRoom, number: int) -> str:
    return str(room.plant.database.now(lambda session: session.get_one(Case, number)).state)


async def test_reopened_and_approved_its_sender_may_send_it_again(held_room: HeldRoom) -> None:
    held_room.records["m1"] = {"content": {"plain": [TEXT]}, "findings": []}
    number = await again(held_room, "refuse", "approve")
    (ticket,) = held_room.plant.database.now(lambda session: session.query(Ticket).all())
    assert (case_state(held_room, number), ticket.digest, ticket.sender) == ("done", digest((TEXT,)), "u1")


async def test_reopened_and_approved_though_nobody_kept_the_text(held_room: HeldRoom) -> None:
    number = await again(held_room, "refuse", "approve")
    assert case_state(held_room, number) == "void"  # and whoever decided is told


async def test_reopened_and_refused_what_was_published_is_taken_down(held_room: HeldRoom) -> None:
    def published(session: Any) -> None:
        session.add(Release(id="r-1", message_id="m1", at=1, state="delivered", upstream_id="77", told=True))

    number = held_room.hold()
    held_room.plant.database.now(published)
    held_room.plant.database.now(lambda session: setattr(session.get_one(Held, "m1"), "release", "r-1"))
    held_room.hold = lambda *_: number  # type: ignore[method-assign]
    made = await again(held_room, "approve", "refuse", "delivered")
    (row,) = held_room.plant.database.now(lambda session: session.query(Takedown).all())
    assert (row.message_id, row.upstream_id, row.ground) == ("r-1", "77", "article 6")
    assert case_state(held_room, made) == "done"


async def test_reopened_and_decided_alike_nothing_follows(held_room: HeldRoom) -> None:
    number = await again(held_room, "refuse", "refuse")
    assert (case_state(held_room, number), held_room.held().state) == ("done", "refused")


@pytest.mark.parametrize("spent", [False, True])
async def test_reopened_and_refused_what_may_be_sent_again_or_was_is_gone(held_room: HeldRoom, *, spent: bool) -> None:
    """Refused, let through after all, and refused after all."""
    held_room.records["m1"] = {"content": {"plain": [TEXT]}, "findings": []}
    number = await again(held_room, "refuse", "approve")
    (ticket,) = held_room.plant.database.now(lambda session: session.query(Ticket).all())
    if spent:
        await tickets.spend(held_room.plant.ledger, ticket.id, "m2", held_room.desk.now)
    made = (await held_room.do("lea", number, "reopen", reason="more is known"))["result"]
    await held_room.claim("lea", made["id"])
    await held_room.do("lea", made["id"], "refuse", ground="article 7")
    await held_room.later(10)
    (row,) = held_room.plant.database.now(lambda session: session.query(Takedown).all())
    (ticket,) = held_room.plant.database.now(lambda session: session.query(Ticket).all())
    assert (case_state(held_room, made["id"]), row.ground) == ("done", "article 7")
    assert (ticket.state, row.message_id) == (("spent", "m2") if spent else ("void", "m1"))


async def test_only_leads_reopen(held_room: HeldRoom) -> None:
    await held_room.do("ann", held_room.hold(), "reopen", reason="r")
    assert held_room.status == 403


async def test_a_masked_approval_whose_key_goes_missing_waits_again(held_room: HeldRoom) -> None:
    number = held_room.hold(masked=MASKED)
    await held_room.claim("ann", number)
    await held_room.do("ann", number, "approve", masked=True)
    held_room.seal = None
    await held_room.later(10)
    shown = await held_room("ann", "GET", f"/cases/{number}")
    assert (shown["state"], shown["outcome"], shown["taken_from_you"]) == ("waiting", "", True)
    assert shown["trace"][-1]["event"] == "unopened"
    assert held_room.held().state == "held"
    held_room.seal = SEAL
    await held_room.claim("bob", number)
    await held_room.do("bob", number, "approve", masked=True)
    await held_room.later(10)
    assert (held_room.held().state, held_room.held().texts) == ("approved", list(MASKED))
