"""Acts out of the journal into a database that lacks them: in order, each once, and as they were."""

from __future__ import annotations

import asyncio
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text

from gateway.control.access.roles import Principal, Role
from gateway.control.accounts.rows import Account
from gateway.control.acts import acts
from gateway.control.acts.acts import Intent, Unit
from gateway.control.acts.authority import Authority
from gateway.control.acts.database import Database
from gateway.control.acts.replay import given_up, replay, unknown
from gateway.control.acts.rows import Act, Mark, Outbox
from gateway.control.adapters.journal import recorded
from gateway.control.blocks.rows import Block
from gateway.control.features import GOVERNANCE, SCOPES
from gateway.control.people import people, tokens
from gateway.control.people.rows import Person
from gateway.control.takedowns import takedowns
from gateway.control.takedowns.rows import Deletion, Takedown, TakedownEvent
from gateway.journal.write.ids import CONTROL, Ids
from gateway.journal.write.record import removal
from gateway.journal.write.segments import COPIED
from gateway.journal.write.settings import JournalSettings
from gateway.journal.write.writer import Writer

TABLES = ("accounts", "blocks", "rooms", "switches", "urgent_words", "words", "copies", "takedowns", "acts", "marks")


class Desk:
    """A database where people act, and a journal of it."""

    def __init__(self, folder: Path, migrated: Path) -> None:
        self.folder, self.root = folder, folder / "journal"
        self.path = folder / "control.sqlite3"
        shutil.copyfile(migrated, self.path)
        self.database = Database(self.path)
        self.ids = Ids(0, CONTROL)
        self.recorded = 0

    def act(self, kind: str, work: Any, undoes: int | None = None) -> int:
        def done(unit: Unit) -> None:
            work(unit)
            unit.undoes = undoes

        intent = Intent(self.ids(), "desk", "because", kind, "x")
        return self.database.now(lambda session: acts.perform(session, intent, done, GOVERNANCE)).act

    def undo(self, act: int) -> int:
        return self.act("act.undo", lambda unit: acts.undo(unit, act))

    def journal(self, *more: Any, node: int = 0) -> None:
        """Write what is not written yet."""

        def rows(session: Any) -> list[Any]:
            found = session.scalars(select(Act).where(Act.id > self.recorded).order_by(Act.id)).all()
            return [
                row.as_row() | {"undoes_uid": session.get(Act, row.undoes).uid if row.undoes else ""} for row in found
            ]

        lines = [recorded(row) for row in self.database.now(rows)]
        self.recorded += len(lines)

        async def write() -> None:
            loop = asyncio.get_running_loop()
            settings = JournalSettings(low_disk=0, full_disk=0)
            writer = Writer(self.root, f"node-{node}", CONTROL, ids=Ids(node, CONTROL), settings=settings, loop=loop)
            writer.start()
            for line in (*lines, *more):
                writer.append(line)
            await asyncio.sleep(0)
            writer.close()

        asyncio.run(write())

    def backup(self) -> Path:
        """A copy of the database as it is now."""
        copy = self.folder / "yesterday.sqlite3"
        copy.unlink(missing_ok=True)
        self.database.now(lambda session: session.execute(text("SELECT 1")))
        self.database.close()
        shutil.copyfile(self.path, copy)
        self.database = Database(self.path)
        return copy

    def rows(self, database: Database) -> dict[str, Any]:
        def told(session: Any) -> dict[str, Any]:
            return {
                name: [tuple(row) for row in session.execute(text(f"SELECT * FROM {name} ORDER BY 1"))]
                for name in TABLES
            }

        return database.now(told)


@pytest.fixture
def desk(tmp_path: Path, migrated: Path) -> Any:
    made = Desk(tmp_path, migrated)
    yield made
    made.database.close()


def block(sender: str) -> Any:
    return lambda unit: unit.add(Block(scope="sender", value=sender, reason="r", ground="g", created_at=1))


def unblock(sender: str) -> Any:
    return lambda unit: unit.remove(unit.session.scalar(select(Block).where(Block.value == sender)))


def test_a_days_acts_come_back_to_the_letter(desk: Desk) -> None:
    desk.act("block.create", block("before"))
    desk.journal()
    copy = desk.backup()
    desk.act("block.create", block("bob"))
    desk.act("block.delete", unblock("before"))
    # The same place again, by another row; then back to the first one.
    desk.act("block.delete", unblock("bob"))
    again = desk.act("block.create", block("bob"))
    desk.undo(again)
    desk.act("account.put", lambda unit: unit.add(Account(sender="eve", verified=True, credit=7)))
    desk.act("account.put", lambda unit: unit.change(unit.get(Account, "eve"), credit=3))
    desk.journal()
    restored = Database(copy)
    try:
        assert len(unknown(restored, [desk.root])) == 7
        assert replay(restored, [desk.root], GOVERNANCE) == (7, [])
        assert desk.rows(restored) == desk.rows(desk.database)
        assert unknown(restored, [desk.root]) == []
        assert replay(restored, [desk.root], GOVERNANCE) == (0, [])
        # They are projected again, and the journal is asked whether it has them.
        waiting = restored.now(lambda s: s.scalar(select(func.count()).where(Outbox.acknowledged_journal.is_(False))))
        assert waiting == 8
    finally:
        restored.close()


def test_two_journals_that_tell_the_same_count_once(desk: Desk, tmp_path: Path) -> None:
    copy = desk.backup()
    desk.act("block.create", block("bob"))
    desk.journal()
    shutil.copytree(desk.root, tmp_path / "replica")
    restored = Database(copy)
    assert replay(restored, [desk.root, tmp_path / "replica"], GOVERNANCE) == (1, [])
    restored.close()


def test_a_database_that_is_ahead_lacks_nothing(desk: Desk) -> None:
    """What was committed and not yet recorded is the relay's affair."""
    desk.act("block.create", block("bob"))
    desk.journal()
    desk.act("block.create", block("carol"))
    assert unknown(desk.database, [desk.root]) == []


def test_acts_that_went_with_time_are_not_missed(desk: Desk) -> None:
    """The database forgets acts before the journal does; what they did stands, or was changed by later ones."""
    for sender in ("a", "b", "c"):
        desk.act("block.create", block(sender))
    desk.journal()
    desk.database.now(lambda s: s.execute(text("DELETE FROM outbox WHERE act_id < 3")))
    desk.database.now(lambda s: s.execute(text("DELETE FROM acts WHERE id < 3")))
    assert unknown(desk.database, [desk.root]) == []


def test_reading_the_record_is_no_act_that_could_be_missing(desk: Desk) -> None:
    desk.journal({"kind": "act", "id": desk.ids(), "time": 1, "person": "p", "reason": "r", "what": "journal.read",
                  "target": {"query": "x"}})  # fmt: skip
    assert unknown(desk.database, [desk.root]) == []


def test_another_nodes_acts_are_not_missed_at_a_start(desk: Desk) -> None:
    copy = desk.backup()
    desk.act("block.create", block("bob"))
    desk.journal(node=2)
    restored = Database(copy)
    assert unknown(restored, [desk.root], "node-0") == []
    assert len(unknown(restored, [desk.root])) == 1
    restored.close()


def test_what_a_person_gave_up_is_not_missed(desk: Desk) -> None:
    copy = desk.backup()
    desk.act("block.create", block("bob"))
    desk.journal()
    restored = Database(copy)
    restored.now(lambda session: given_up(session, time.time_ns() // 1000))
    assert unknown(restored, [desk.root]) == []
    restored.now(lambda session: given_up(session, 5))
    assert restored.now(lambda session: session.get(Mark, "given_up").value) > 5
    restored.close()


def test_what_a_missed_act_changed_is_known(desk: Desk) -> None:
    """Whoever was removed since must not come in with yesterday's token."""
    desk.act("person.add", lambda unit: people.add(unit, "ann", "tg_ann", [Role.ADMIN]))
    desk.act("person.add", lambda unit: people.add(unit, "bob", "tg_bob", [Role.VIEWER]))
    desk.journal()
    copy = desk.backup()
    desk.act("person.remove", lambda unit: people.remove(unit, "bob"))
    desk.journal()
    restored = Database(copy)
    (missed,) = unknown(restored, [desk.root])
    assert missed.rows == (("people", "bob"),)
    authority = Authority()
    held = people.People(restored.now(people.callers), authority)
    assert [name(held.known(token)) for token in ("tg_ann", "tg_bob")] == ["ann", "bob"]
    authority.distrusted = frozenset(missed.rows)
    assert [name(held.known(token)) for token in ("tg_ann", "tg_bob")] == ["ann", None]
    restored.close()


def name(caller: Principal | None) -> str | None:
    """The person, and the machine where it is one's."""
    return ":".join(filter(None, (caller.person, caller.token))) if caller is not None else None


def machine(desk: Desk, named: str, token: str) -> None:
    ann = desk.database.now(lambda session: anew_of(session, "ann"))
    desk.act("token.make", lambda unit: tokens.make(unit, named, ["blocks:read"], token, ann, SCOPES))


def anew_of(session: Any, person: str) -> Principal:
    return next(one for one in people.callers(session) if (one.person, one.token) == (person, ""))


def test_a_machine_revoked_since_and_a_person_demoted_since_are_not_let_in(desk: Desk) -> None:
    desk.act("person.add", lambda unit: people.add(unit, "ann", "tg_ann", [Role.ADMIN]))
    desk.act("person.add", lambda unit: people.add(unit, "bob", "tg_bob", [Role.ADMIN]))
    machine(desk, "sync", "tg_sync")
    machine(desk, "board", "tg_board")
    desk.journal()
    copy = desk.backup()
    ann = desk.database.now(lambda session: anew_of(session, "ann"))
    desk.act("token.revoke", lambda unit: tokens.revoke(unit, "sync", ann))
    desk.act("person.roles", lambda unit: people.give(unit, "bob", [Role.VIEWER]))
    desk.journal()
    restored = Database(copy)
    lacking = unknown(restored, [desk.root])
    authority = Authority()
    authority.distrusted = frozenset(row for act in lacking for row in act.rows)
    held = people.People(restored.now(people.callers), authority)
    all_of_them = ("tg_ann", "tg_bob", "tg_sync", "tg_board")
    assert [name(held.known(token)) for token in all_of_them] == ["ann", None, None, "ann:board"]
    # Once the acts have come back they are what they were.
    assert replay(restored, [desk.root], GOVERNANCE) == (2, [])
    held = people.People(restored.now(people.callers))
    assert [name(held.known(token)) for token in all_of_them] == ["ann", "bob", None, "ann:board"]
    assert held.known("tg_bob").roles == {Role.VIEWER}  # type: ignore[union-attr]
    restored.close()


def test_a_machine_s_token_cannot_come_back_either(desk: Desk) -> None:
    desk.act("person.add", lambda unit: people.add(unit, "ann", "tg_ann", [Role.ADMIN]))
    desk.journal()
    copy = desk.backup()
    machine(desk, "sync", "tg_sync")
    desk.journal()
    restored = Database(copy)
    replayed = replay(restored, [desk.root], GOVERNANCE)
    assert (replayed.acts, ["sync" in told for told in replayed.lost]) == (1, [True])
    held = people.People(restored.now(people.callers))
    assert [name(held.known(token)) for token in ("tg_ann", "tg_sync", "")] == ["ann", None, None]
    restored.close()


def test_acts_from_before_there_were_roles_come_back(desk: Desk) -> None:
    """Their records know no roles: whoever they added is what the migration made of such people."""
    record = {
        "kind": "act", "id": desk.ids(), "time": time.time_ns() // 1000, "person": "ann", "reason": "r",
        "what": "person.add",
        "target": {
            "subject": "person:old",
            "changes": [
                {"table": "people", "key": "old", "before": None, "after": {"name": "old", "created_at": 7}}
            ],
        },
    }  # fmt: skip
    desk.journal(record)
    assert replay(desk.database, [desk.root], GOVERNANCE).acts == 1
    old = desk.database.now(lambda session: session.get(Person, "old").as_row())
    assert old == {"name": "old", "created_at": 7, "roles": ["admin"], "roles_given": False}


def test_a_token_cannot_come_back_and_opens_nothing(desk: Desk) -> None:
    copy = desk.backup()
    desk.act("person.add", lambda unit: people.add(unit, "li.hua", "tg_secret", [Role.LEAD]))
    desk.act("person.add", lambda unit: people.add(unit, "gone", "tg_other", [Role.VIEWER]))
    desk.act("person.remove", lambda unit: people.remove(unit, "gone"))
    desk.journal()
    assert all(b"secret" not in path.read_bytes() for path in desk.root.rglob("*.jsonl"))
    restored = Database(copy)
    replayed = replay(restored, [desk.root], GOVERNANCE)
    assert replayed.acts == 3
    assert [told for told in replayed.lost if "li.hua" in told] == replayed.lost
    held = people.People(restored.now(people.callers))
    assert held.known("tg_secret") is None
    assert held.known("") is None
    # Where nobody has a token any more, the first person gets one, as on a first start.
    keep = desk.folder / "first-token"
    token = restored.now(lambda session: people.first(session, "li.hua", desk.ids(), keep, GOVERNANCE))
    assert token is not None
    held.refresh(restored.now(people.callers))
    assert name(held.known(token)) == "li.hua"
    assert held.known(token).roles == {Role.LEAD, Role.ADMIN}  # type: ignore[union-attr]
    assert restored.now(people.lost) == []
    restored.close()


def test_who_has_a_token_keeps_it(desk: Desk) -> None:
    desk.act("person.add", lambda unit: people.add(unit, "ann", "tg_ann", [Role.ADMIN]))
    copy = desk.backup()
    desk.act("block.create", block("bob"))
    desk.journal()
    restored = Database(copy)
    restored.now(lambda s: s.execute(text("DELETE FROM outbox")))
    restored.now(lambda s: s.execute(text("DELETE FROM acts")))  # as if the journal told of her being added again
    assert replay(restored, [desk.root], GOVERNANCE) == (2, [])
    assert name(people.People(restored.now(people.callers)).known("tg_ann")) == "ann"
    intent = Intent(desk.ids(), "bob", "r", "person.remove", "person:ann")
    with pytest.raises(Exception, match="last_admin"):
        restored.now(lambda s: acts.perform(s, intent, lambda unit: people.remove(unit, "ann"), GOVERNANCE))
    restored.close()


@pytest.mark.parametrize("confirmed", [True, False])
def test_a_takedown_goes_on_where_its_records_left_it(desk: Desk, confirmed: bool) -> None:
    copy = desk.backup()
    row = {"message_id": "m1", "upstream_id": "7", "route": "r", "room": "1", "reason": "x", "ground": ""}

    def work(unit: Unit) -> None:
        made = unit.add(Takedown(**row, act_uid=unit.uid, created_at=5))
        unit.session.flush()
        takedowns.begun(unit.session, made, 60)

    desk.act("takedown.create", work)
    uid = desk.database.now(lambda session: session.scalar(select(Act.uid)))
    states = ["requested", "confirmed"] if confirmed else ["requested"]
    desk.journal(*(removal("m1", "takedown", state, reason="x", act=uid) for state in states))  # type: ignore[arg-type]
    restored = Database(copy)
    assert replay(restored, [desk.root], GOVERNANCE) == (1, [])
    deletion = restored.now(lambda session: session.get_one(Deletion, 1))
    assert deletion.state == ("confirmed" if confirmed else "requested")
    assert deletion.confirm_by > time.time_ns() // 1000
    events = restored.now(lambda session: session.scalars(select(TakedownEvent)).all())
    assert [(event.event, event.journalled) for event in events] == [(state, True) for state in states]
    restored.close()


def test_an_act_that_stands_against_what_is_here_is_told_and_the_others_are_done(desk: Desk) -> None:
    copy = desk.backup()
    desk.act("block.create", block("bob"))
    desk.act("block.create", block("carol"))
    desk.journal({"kind": "act", "id": desk.ids(), "time": time.time_ns() // 1000, "person": "p", "reason": "r",
                  "what": "moon.add", "target": {"subject": "moon:1", "changes": [
                      {"table": "moons", "key": 1, "before": None, "after": {"id": 1}}]}})  # fmt: skip
    restored = Database(copy)
    restored.now(lambda s: s.add(Block(id=9, scope="sender", value="bob", reason="r", ground="g", created_at=1)))
    replayed = replay(restored, [desk.root], GOVERNANCE)
    assert replayed.acts == 1
    assert ["block.create" in replayed.lost[0], "moon.add" in replayed.lost[1]] == [True, True]
    assert restored.now(lambda s: s.scalars(select(Block.value).order_by(Block.id)).all()) == ["carol", "bob"]
    restored.close()


def test_acts_of_another_node_are_none_of_this_nodes_file(desk: Desk) -> None:
    copy = desk.backup()
    desk.act("block.create", block("bob"))
    desk.journal()
    for node in desk.root.glob("node-*"):
        (node / COPIED).touch()
    restored = Database(copy)
    try:
        assert unknown(restored, [desk.root]) == []
        assert replay(restored, [desk.root], GOVERNANCE) == (0, [])
    finally:
        restored.close()
