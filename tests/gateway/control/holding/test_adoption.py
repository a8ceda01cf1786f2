"""From spools into the database: once, with its case, and nothing that nobody judged."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from gateway.control.cases import cases
from gateway.control.cases.rows import Case, CaseCause
from gateway.control.holding import adoption, held
from gateway.control.holding.adoption import PATIENCE_US, Adoption, category_of
from gateway.control.holding.rows import Held
from gateway.journal.write.ids import Ids
from gateway.journal.write.settings import JournalSettings
from gateway.journal.write.writer import Writer
from gateway.parking.seal import Seal
from gateway.parking.spool_frames import framed


class Spools:
    """One worker's spool and journal, and the intake over both."""

    def __init__(self, holding: Any, folder: Path) -> None:
        self.holding = holding
        self.root, self.journal = folder / "park", folder / "journal"
        (self.root / "0").mkdir(parents=True)
        self.ids = Ids(0, 0, clock=lambda: holding.ns)
        self.seal: Seal | None = holding.seal
        self.intake = Adoption(
            holding.plant.database, self.root, self.journal, lambda: self.seal, lambda surface: 60.0,
            clock=lambda: holding.ns,
        )  # fmt: skip

    def spool(self, *messages: str, seal: Seal | None = None, name: str = "", **changed: Any) -> Path:
        seal = seal or self.holding.seal
        frames = [(one, seal.seal(one, self.holding.request(one, **changed).encode())) for one in messages]
        path = self.root / "0" / f"{name or messages[0]}.spool"
        path.write_bytes(framed(frames))
        return path

    async def judged(self, *messages: str, late: str = "") -> None:
        """``late``: what became of those that had passed, while their delay ran."""
        writer = Writer(
            self.journal, "node-0", 0, ids=Ids(0, 0), settings=JournalSettings(), loop=asyncio.get_running_loop()
        )
        writer.start()
        for one in messages:
            writer.append({"kind": "judged", "id": one, "time": self.holding.now, "verdict": "hold"})
            if late:
                writer.append({"kind": "outcome", "id": one, "time": self.holding.now, "state": late})
        writer.close()

    def held(self) -> list[str]:
        return [row.message_id for row in self.rows(Held)]

    def rows(self, kind: type[Any]) -> list[Any]:
        return self.holding.plant.database.now(lambda session: session.query(kind).all())


@pytest.fixture
async def spools(holding: Any, tmp_path: Path) -> Spools:
    return Spools(holding, tmp_path)


async def test_a_message_is_taken_over_with_its_case_and_the_file_goes(spools: Spools) -> None:
    one, two = spools.ids(), spools.ids()
    path = spools.spool(one, two)
    await spools.judged(one, two)
    assert await spools.intake.step()
    assert (spools.held(), path.exists()) == ([one, two], False)
    row = spools.rows(Held)[0]
    assert (row.state, row.sender, row.room, row.expires_at - row.at) == ("held", "alice", "r1", 60_000_000)
    assert b"s3cret-cookie" not in row.sealed
    cases, causes = spools.rows(Case), spools.rows(CaseCause)
    assert [case.message_id for case in cases] == [one, two]
    assert (causes[0].cause, causes[0].reason, cases[0].category) == ("hold", "keyword.match", "spam")
    assert row.case_id == cases[0].id


async def test_a_file_that_is_read_twice_gives_one_message(spools: Spools) -> None:
    one = spools.ids()
    await spools.judged(one)
    for _ in range(2):
        spools.spool(one)
        await spools.intake.step()
    assert (spools.held(), len(spools.rows(Case))) == ([one], 1)


async def test_what_nobody_judged_is_waited_for_then_discarded(spools: Spools) -> None:
    one, two = spools.ids(), spools.ids()
    path = spools.spool(one, two)
    await spools.judged(one)
    await spools.intake.step()
    assert (spools.held(), path.exists(), spools.intake.discarded) == ([one], True, 0)
    spools.holding.ns += PATIENCE_US * 1000 + 1000
    assert await spools.intake.step()
    assert (spools.held(), path.exists(), spools.intake.discarded) == ([one], False, 1)


@pytest.mark.parametrize("late", ["", "failed", "held"])
async def test_what_was_held_while_its_delay_ran_is_promised_by_its_outcome(spools: Spools, late: str) -> None:
    one = spools.ids()
    path = spools.spool(one, late=True)
    await spools.judged(one, late=late)
    await spools.intake.step()
    assert spools.held() == ([one] if late == "held" else [])
    spools.holding.ns += PATIENCE_US * 1000 + 1000
    await spools.intake.step()
    assert (path.exists(), spools.intake.discarded) == (False, 0 if late == "held" else 1)


async def test_it_names_the_incident_that_alone_held_it(spools: Spools) -> None:
    one, two = spools.ids(), spools.ids()
    by = {"check": "incident", "reason": "incident.held", "effect": "hold", "detail": {"incident": 7}}
    spools.spool(one, reason="incident.held", findings=(by,))
    spools.spool(two, findings=({"check": "keywords", "reason": "keyword.match"}, by))
    await spools.judged(one, two)
    await spools.intake.step()
    assert {row.message_id: row.incident for row in spools.rows(Held)} == {one: 7, two: 0}


async def test_what_cannot_be_opened_stays_until_its_key_is_there(spools: Spools) -> None:
    other = Seal(bytes(32))
    one, two = spools.ids(), spools.ids()
    path = spools.spool(one, seal=other)
    spools.spool(two)
    await spools.judged(one, two)
    await spools.intake.step()
    assert (spools.held(), path.exists(), spools.intake.unopened) == ([two], True, 1)
    spools.seal = Seal(bytes(range(32)), [bytes(32)])
    await spools.intake.step()
    assert (sorted(spools.held()), path.exists(), spools.intake.unopened) == (sorted([one, two]), False, 0)


async def test_what_cannot_be_opened_is_in_nobodys_way(spools: Spools, monkeypatch: pytest.MonkeyPatch) -> None:
    """More of such files than one look takes, all of them older."""
    monkeypatch.setattr(adoption, "AT_ONCE", 3)
    other = Seal(bytes(32))
    lost = [spools.ids() for _ in range(7)]
    for one in lost:
        spools.spool(one, seal=other)
    readable = spools.ids()
    spools.spool(readable)
    await spools.judged(*lost, readable)
    for _ in range(3):
        await spools.intake.step()
    assert (spools.held(), spools.intake.unopened) == ([readable], 7)
    spools.seal = Seal(bytes(range(32)), [bytes(32)])
    for _ in range(3):
        await spools.intake.step()
    assert (len(spools.held()), spools.intake.unopened) == (8, 0)


async def test_many_small_files_are_one_look(spools: Spools, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker writes a file for each turn that parks: the journals' ends are read once for all of them."""
    reads: list[Path] = []
    newest = adoption._newest

    def counted(folder: Path) -> set[bytes]:
        reads.append(folder)
        return newest(folder)

    monkeypatch.setattr(adoption, "_newest", counted)
    messages = [spools.ids() for _ in range(120)]
    for one in messages:
        spools.spool(one)
    await spools.judged(*messages)
    assert await spools.intake.step()
    assert (spools.held(), len(reads)) == (messages, 1)


async def test_a_torn_file_gives_what_is_sound_of_it(spools: Spools) -> None:
    one, two = spools.ids(), spools.ids()
    path = spools.spool(one, two)
    path.write_bytes(path.read_bytes()[:-3])
    await spools.judged(one, two)
    await spools.intake.step()
    assert (spools.held(), path.exists()) == ([one], False)


async def test_nothing_is_taken_over_without_a_key(spools: Spools) -> None:
    one = spools.ids()
    path = spools.spool(one)
    await spools.judged(one)
    spools.seal = None
    assert not await spools.intake.step()
    assert path.exists()


def test_a_case_has_the_gravest_category_that_was_found(holding: Any) -> None:
    everything = {"check": "review", "reason": "review.required", "effect": "hold"}
    spam = {"check": "keywords", "effect": "hold", "category": "spam", "severity": 3}
    threat = {"check": "keywords", "effect": "hold", "category": "threats", "severity": 9}
    for findings, category in (
        ((everything, spam, threat), "threats"), ((threat, spam), "threats"), ((everything,), ""), ((), "")
    ):  # fmt: skip
        assert category_of(holding.request(findings=findings)) == category


async def anew(spools: Spools, older: str, **changed: Any) -> str:
    """Its sender writes a message anew."""
    spools.holding.ns += 10**9
    message = spools.ids()
    named = ("tidegate-supersedes", f"{older}.{spools.holding.seal.token(older)}")
    request = spools.holding.request(message, headers=(named,), **changed)
    path = spools.root / "0" / f"{message}.spool"
    path.write_bytes(framed([(message, spools.holding.seal.seal(message, request.encode()))]))
    await spools.judged(message)
    await spools.intake.step()
    return message


async def test_what_is_written_anew_takes_the_place_of_what_waits(spools: Spools) -> None:
    first = spools.ids()
    spools.spool(first)
    await spools.judged(first)
    await spools.intake.step()
    second = await anew(spools, first)
    third = await anew(spools, first)  # whichever of them it names
    rows = {row.message_id: row for row in spools.rows(Held)}
    assert [(rows[one].state, rows[one].sealed is None) for one in (first, second, third)] == [
        ("superseded", True), ("superseded", True), ("held", False),
    ]  # fmt: skip
    (case,) = [one for one in spools.rows(Case) if one.state != "void"]
    assert (case.message_id, case.version, case.due_at) == (third, 3, rows[first].at)
    assert rows[third].case_id == case.id


@pytest.mark.parametrize("changed", [{"room": "r2"}, {"sender": "bob"}, {"route": "other"}, {"socket": True}])
async def test_of_another_place_or_person_it_waits_beside_it(spools: Spools, changed: Any) -> None:
    first = spools.ids()
    spools.spool(first)
    await spools.judged(first)
    await spools.intake.step()
    await anew(spools, first, **changed)
    assert [(row.state, row.case_id is not None) for row in spools.rows(Held)] == [("held", True)] * 2
    assert [case.state for case in spools.rows(Case)] == ["waiting"] * 2


async def test_of_what_is_decided_it_waits_by_itself(spools: Spools) -> None:
    first = spools.ids()
    spools.spool(first)
    await spools.judged(first)
    await spools.intake.step()
    await spools.holding.act(lambda unit: held.refuse(unit, first, "review.refused", "g", spools.holding.now))
    await anew(spools, first)
    assert sorted(row.state for row in spools.rows(Held)) == ["held", "refused"]


async def test_of_an_approved_one_that_is_kept_back_it_has_a_case_of_its_own(spools: Spools) -> None:
    first = spools.ids()
    spools.spool(first)
    await spools.judged(first)
    await spools.intake.step()
    now = spools.holding.now
    await spools.holding.act(lambda unit: held.approve(unit, first, None, now + 10**9, now))
    await spools.holding.act(lambda unit: cases.void(unit.session, first, "done", now=now))
    second = await anew(spools, first)
    assert {row.message_id: row.state for row in spools.rows(Held)} == {first: "superseded", second: "held"}
    assert {case.message_id: case.state for case in spools.rows(Case)} == {first: "void", second: "waiting"}
