"""What was taken down comes back once, and can go and come again."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete

from gateway import config as configuration
from gateway.control.accounts.rows import Account
from gateway.control.acts.refusal import ControlError
from gateway.control.blocks.rows import Block
from gateway.control.holding import tickets
from gateway.control.holding.rows import Held, HeldEvent
from gateway.control.releasing.publishing import Published
from gateway.control.releasing.wanted_gone import HeldTakedowns
from gateway.control.restoring.coming_back import KeptMessage, Restoring
from gateway.control.takedowns import takedowns
from gateway.control.takedowns.rows import Copy, Deletion, Takedown
from gateway.judging.refused_copies import fingerprints
from gateway.judging.resending import digest
from gateway.parking.parked import decode
from gateway.words.files import folding_tables
from tests.gateway.control.releasing.conftest import TOML, Bench

ID = "01a20094-b11c-7000-8001-0054a58fe235"
REVIEW = f"""
[review]
key = "{"5a" * 32}"
on_cap = "reject"
"""
RELEASE = """
[routes.release]
match = "POST /internal/{room}/comments"
"""
RECORD = {
    "kind": "judged", "id": ID, "time": 1_700_000_000_000_000, "route": "comments", "surface": "comment", "room": "r1",
    "sender": "alice", "verdict": "pass", "policy": "digest", "findings": [], "content": {"plain": ["buy this"]},
}  # fmt: skip
PRINT = fingerprints(folding_tables()).scan(("buy this",)).fingerprint
KEPT = KeptMessage(RECORD, ("buy this",), PRINT)
NOT_KEPT = KeptMessage({key: value for key, value in RECORD.items() if key != "content"}, (), b"")


class Shelf:
    """A bench with a message that was taken down, and the platform said so."""

    def __init__(self, bench: Bench, tmp_path: Path) -> None:
        self.bench = bench
        self.folder = tmp_path
        self.configure(RELEASE)
        ids = (f"restored-{number}" for number in itertools.count(1))
        self.restoring = Restoring(
            tmp_path, lambda: bench.config, lambda: bench.seal, lambda: next(ids), lambda: bench.ns
        )

    def configure(self, release: str) -> None:
        path = self.folder / "tidegate.toml"
        path.write_text(TOML + release + REVIEW)
        self.bench.config = configuration.load(path)

    async def take_down(self, message_id: str = ID, *, confirmed: bool = True) -> int:
        def work(unit: Any) -> int:
            row = unit.add(
                Takedown(
                    message_id=message_id, upstream_id="7", route="comments", room="r1", reason="order 7", ground="",
                    act_uid=unit.uid, created_at=1,
                )
            )  # fmt: skip
            unit.session.flush()
            takedowns.begun(unit.session, row, 60.0)
            if confirmed:
                unit.session.get_one(Deletion, row.id).state = takedowns.CONFIRMED
            return int(row.id)

        number: int = await self.bench.act(work)
        return number

    async def restore(self, number: int, kept: KeptMessage = KEPT, *entered: str, labels: tuple[str, ...] = ()) -> Any:
        return await self.bench.act(lambda unit: self.restoring.restore(unit, number, kept, entered, labels))

    async def gone_again(self, restoration: str) -> Takedown:
        made = HeldTakedowns(lambda: self.bench.ns)
        done: Takedown = await self.bench.act(lambda unit: made.take_down(unit, restoration, "order 8", "", 60.0))
        return done


@pytest.fixture
async def shelf(bench: Bench, tmp_path: Path) -> Shelf:
    await bench.act(lambda unit: unit.add(Account(sender="alice", verified=True, verified_until=0, credit=100)))
    return Shelf(bench, tmp_path)


@pytest.fixture
async def bench(plant: Any) -> Bench:
    return Bench(plant)


async def refused(wanted: Any) -> str:
    with pytest.raises(ControlError) as error:
        await wanted
    return error.value.reason


async def test_taken_down_restored_and_at_the_platform_once(shelf: Shelf) -> None:
    bench = shelf.bench
    made = await shelf.restore(await shelf.take_down(), labels=("checked",))
    assert (made.way, bench.state(made.id)) == ("publish", "approved")
    parked = decode(bench.seal.open(made.id, bench.row(made.id).sealed or b""))
    assert (parked.restores, parked.labels, dict(parked.headers)) == (
        ID, ("checked",), {"content-type": "application/json"},
    )  # fmt: skip
    await bench.settle()
    assert (bench.state(made.id), bench.platform.shown) == ("delivered", [made.id])
    (judged,) = bench.told("judged")
    assert (judged["restores"], "releases" in judged) == (ID, False)
    assert (judged["sent_at"], judged["labels"]) == (RECORD["time"], ["checked"])
    assert judged["approved_by"] == bench.row(made.id).act_uid
    assert bench.row(made.id).sealed is None
    assert [(one["id"], one["state"], one.get("person")) for one in bench.told("review")] == [
        (made.id, "approved", "li"), (made.id, "releasing", None), (made.id, "delivered", None),
    ]  # fmt: skip


async def test_restored_once(shelf: Shelf) -> None:
    number = await shelf.take_down()
    await shelf.restore(number)
    assert await refused(shelf.restore(number)) == "control.restored_already"
    await shelf.bench.settle()
    assert await refused(shelf.restore(number)) == "control.restored_already"
    assert await refused(shelf.restore(number + 1)) == "control.takedown_unknown"


async def test_not_before_the_platform_has_confirmed(shelf: Shelf) -> None:
    assert await refused(shelf.restore(await shelf.take_down(confirmed=False))) == "control.takedown_open"


async def test_its_text_is_refused_no_more_for_whichever_message_it_was(shelf: Shelf) -> None:
    number = await shelf.take_down()
    until = shelf.bench.ns // 10**9 + 1000
    copy = Copy(fingerprint=PRINT.hex(), message_id="another", ground="g", expires_at=until, created_at=1)
    await shelf.bench.act(lambda unit: unit.add(copy))
    made = await shelf.restore(number)
    assert (made.copies, shelf.bench.rows(Copy)) == (1, [])
    await shelf.bench.settle()
    assert shelf.bench.state(made.id) == "delivered"


async def test_facts_are_asked_anew_and_what_came_to_nothing_can_come_again(shelf: Shelf) -> None:
    number = await shelf.take_down()
    block = await shelf.bench.act(
        lambda unit: unit.add(Block(scope="sender", value="alice", reason="r", ground="g", expires_at=0, created_at=0))
    )
    made = await shelf.restore(number)
    await shelf.bench.settle()
    assert (shelf.bench.state(made.id), shelf.bench.platform.asked) == ("void", [])
    await shelf.bench.act(lambda unit: unit.remove(unit.get(Block, block.id)))
    again = await shelf.restore(number)
    await shelf.bench.settle()
    assert (again.id != made.id, shelf.bench.state(again.id)) == (True, "delivered")


@pytest.mark.parametrize("left", ["no address", "media", "no seal"])
async def test_a_ticket_where_the_platform_cannot_be_asked(shelf: Shelf, left: str) -> None:
    kept = KEPT
    if left == "no address":
        shelf.configure("")
    elif left == "media":
        kept = KEPT._replace(record=RECORD | {"parts": ["image"]})
    else:
        shelf.restoring._seal = lambda: None
    made = await shelf.restore(await shelf.take_down(), kept)
    (ticket,) = shelf.bench.tickets
    assert (made.way, shelf.bench.state(made.id)) == ("ticket", "ticketed")
    assert (ticket.message_id, ticket.sender, ticket.digest) == (made.id, "alice", digest(("buy this",)))
    await tickets.spend(shelf.bench.plant.ledger, ticket.id, "new", shelf.bench.ns // 1000)
    assert shelf.bench.state(made.id) == "delivered"
    again = await shelf.gone_again(made.id)
    assert again.message_id == "new"  # what was sent with it


async def test_a_text_that_nobody_kept_is_entered_again_and_gives_a_ticket(shelf: Shelf) -> None:
    number = await shelf.take_down()
    assert await refused(shelf.restore(number, NOT_KEPT)) == "control.text_unknown"
    assert await refused(shelf.restore(number, NOT_KEPT, "as it was", labels=("x",))) == "control.unlabelled"
    made = await shelf.restore(number, NOT_KEPT, "as it was")
    (ticket,) = shelf.bench.tickets
    assert (made.way, ticket.digest) == ("ticket", digest(("as it was",)))


async def test_what_was_masked_comes_back_masked(shelf: Shelf) -> None:
    mask = {
        "check": "keywords",
        "reason": "keyword.match",
        "effect": "mask",
        "field": 0,
        "spans": [[0, 3]],
        "ground": "",
    }
    kept = KEPT._replace(record=RECORD | {"findings": [mask]}, texts=("*** this",))
    await shelf.restore(await shelf.take_down(), kept)
    await shelf.bench.settle()
    assert shelf.bench.platform.texts == [("*** this",)]


async def test_taken_down_again_before_it_left(shelf: Shelf) -> None:
    number = await shelf.take_down()
    made = await shelf.restore(number)
    again = await shelf.gone_again(made.id)
    await shelf.bench.settle()
    assert (shelf.bench.state(made.id), shelf.bench.platform.asked) == ("refused", [])
    assert shelf.bench.plant.database.now(lambda session: session.get_one(Deletion, again.id).state) == "confirmed"
    assert shelf.bench.state((await shelf.restore(number)).id) == "approved"


async def test_taken_down_again_while_it_is_on_its_way_and_once_it_is_there(shelf: Shelf) -> None:
    number = await shelf.take_down()
    publish = shelf.bench.platform.publish
    meanwhile: list[Takedown] = []

    async def publishing(*values: Any) -> Published:
        meanwhile.append(await shelf.gone_again(made.id))
        found: Published = await publish(*values)
        return found

    shelf.bench.platform.publish = publishing  # type: ignore[method-assign]
    made = await shelf.restore(number)
    await shelf.bench.settle()
    row = shelf.bench.plant.database.now(lambda session: session.get_one(Takedown, meanwhile[0].id))
    assert row.message_id == shelf.bench.platform.asked[0][1]
    assert await refused(shelf.gone_again(made.id)) == "control.taken_down_already"


async def test_what_was_held_is_taken_down_again_by_its_first_id_however_often_it_comes_back(shelf: Shelf) -> None:
    bench = shelf.bench
    bench.park(ID)
    await bench.approve(ID)
    await bench.settle()
    made = HeldTakedowns(lambda: bench.ns)
    shown = [bench.platform.asked[-1][1]]
    for _ in range(3):
        row = await shelf.gone_again(ID)
        assert row.message_id == shown[-1]
        assert await refused(shelf.gone_again(ID)) == "control.taken_down_already"
        bench.plant.database.now(
            lambda session, number=row.id: setattr(session.get_one(Deletion, number), "state", takedowns.CONFIRMED)
        )
        await shelf.restore(row.id)
        await bench.settle()
        shown.append(bench.platform.asked[-1][1])
        deleted = await bench.act(lambda unit: made.deleted(unit, ID, "user"))
        assert deleted == shown[-1]
    assert len(set(shown)) == 4


async def test_taken_down_again_while_its_sender_has_a_ticket(shelf: Shelf) -> None:
    shelf.configure("")
    number = await shelf.take_down()
    made = await shelf.restore(number)
    await shelf.gone_again(made.id)
    assert (shelf.bench.state(made.id), shelf.bench.tickets[0].state) == ("void", "void")
    assert (await shelf.restore(number)).way == "ticket"


async def test_a_database_that_lost_it_does_not_restore_twice(shelf: Shelf) -> None:
    number = await shelf.take_down()
    made = await shelf.restore(number)

    def lose(session: Any) -> str:
        for table in (HeldEvent, Held):
            session.execute(delete(table))
        return HeldTakedowns().state(session, made.id)

    assert shelf.bench.plant.database.now(lose) == ""
    assert await refused(shelf.restore(number)) == "control.restored_already"
