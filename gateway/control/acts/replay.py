"""Acts come back from the journal: those that a control database does not know, in order, each once.

A record of an act holds every row that it changed as it was afterwards, so that nothing has to be understood to do it
again, and doing it twice is harmless. What the journal never had cannot come back: a person's token. How far the
platform was with a takedown stands in records of its own.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from gateway.common.folders import DatabaseServer
from gateway.control.acts.acts import follow_up
from gateway.control.acts.database import Database
from gateway.control.acts.governance import Governance, Table
from gateway.control.acts.numbering import raise_counters
from gateway.control.acts.rows import Act, Mark
from gateway.journal.read import reader
from gateway.journal.read.reader import OnFlaw
from gateway.journal.write.ids import CONTROL
from gateway.journal.write.segments import LIFE, folders, own_folders

GIVEN_UP = "given_up"  # mark: acts up to this time (µs since the epoch) that the database lacks are not wanted
ACTS, REMOVALS = b'"kind":"act"', b'"by":"takedown"'
AT_ONCE = 200  # acts of one transaction
ASKED_AT_ONCE = 500

Record = Mapping[str, Any]


class UnknownAct(NamedTuple):
    """An act that a journal holds and the database does not. ``at`` in microseconds since the epoch. ``rows``: those
    that it changed, by table and key."""

    uid: str
    at: int
    rows: tuple[tuple[str, Any], ...] = ()


class Replayed(NamedTuple):
    """``acts``: how many were done again. ``lost``: what could not come back, in sentences."""

    acts: int
    lost: list[str]


def unknown(
    database: Database, roots: Iterable[Path], node: str = "*", on_flaw: OnFlaw = lambda flaw: None
) -> list[UnknownAct]:
    """What journals hold of acts after the last that the database knows, in each folder of a control process of
    ``node`` (``node-3``; any, if not named). Only segments since the newest act are read."""
    newest, given_up = database.now(_known_until)
    found: dict[str, UnknownAct] = {}
    for folder in _folders(roots, database, node):
        acts = [
            UnknownAct(entry.record["id"], entry.record["time"], _rows(entry.record))
            for entry in reader.records(folder, on_flaw, since_us=newest, needle=ACTS)
            if _redoable(entry.record)
        ]
        known = database.now(lambda session, acts=acts: _known(session, [act.uid for act in acts]))  # type: ignore[misc]
        last = max((place for place, act in enumerate(acts) if act.uid in known), default=-1)
        found |= {act.uid: act for act in acts[last + 1 :] if act.at > given_up}
    return sorted(found.values(), key=lambda act: act.uid)


def _rows(record: Record) -> tuple[tuple[str, Any], ...]:
    return tuple((change["table"], change["key"]) for change in record["target"]["changes"])


def replay(
    database: Database, roots: Sequence[Path], governance: Governance, on_flaw: OnFlaw = lambda flaw: None
) -> Replayed:
    """Do again what the journals have and the database has not. Raises where a record cannot be understood at all;
    what was done until then stands, and the next try goes on from there."""
    wanted = unknown(database, roots, on_flaw=on_flaw)
    uids = {act.uid for act in wanted}
    if not uids:
        return Replayed(0, [])
    since = min(act.at for act in wanted)
    told = _removals(_folders(roots, database), uids, since)
    lost: list[str] = []
    batch: list[Record] = []
    done = 0

    def work(session: Session) -> int:
        redone = sum(_redo(session, record, governance, told, lost) for record in batch)
        raise_counters(session.connection())  # rows have the numbers that another database gave them
        return redone

    for record in _ordered(_folders(roots, database), uids, since):
        batch.append(record)
        if len(batch) == AT_ONCE:
            done += database.now(work)
            batch.clear()
    done += database.now(work)
    for table in governance.tables.values():
        if table.lost is not None:
            lost += database.now(table.lost)
    return Replayed(done, lost)


def given_up(session: Session, until_us: int) -> None:
    """Acts that the journal has and this database has not are not wanted any more, those done until now."""
    mark = session.get(Mark, GIVEN_UP)
    if mark is None:
        session.add(Mark(name=GIVEN_UP, value=until_us))
    else:
        mark.value = max(mark.value, until_us)


def _known_until(session: Session) -> tuple[int, int]:
    newest = session.scalar(select(Act.at).order_by(Act.id.desc()).limit(1)) or 0
    mark = session.get(Mark, GIVEN_UP)
    return newest, mark.value if mark is not None else 0


def _known(session: Session, uids: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for start in range(0, len(uids), ASKED_AT_ONCE):
        found |= set(session.scalars(select(Act.uid).where(Act.uid.in_(uids[start : start + ASKED_AT_ONCE]))))
    return found


def _folders(roots: Iterable[Path], database: Database, node: str = "*") -> list[Path]:
    """Of control processes. What other nodes did, as far as it is copied here, belongs to a database that they have in
    common, and to no file of one node."""
    shared = isinstance(database.place, DatabaseServer)
    return [
        folder
        for root in roots
        for folder in (folders(root) if shared else own_folders(root))
        if folder.name.partition(LIFE)[0] == str(CONTROL) and node in ("*", folder.parent.name)
    ]


def _redoable(record: Record) -> bool:
    """Reading the record by command is an act as well, and changes nothing."""
    return record.get("kind") == "act" and "changes" in record.get("target", {})


def _ordered(held: Iterable[Path], uids: set[str], since: int) -> Iterator[Record]:
    """The records of these acts in the order of their ids, which is that of their commits; each once."""
    streams = [_of(folder, uids, since) for folder in held]
    before = ""
    for record in heapq.merge(*streams, key=lambda record: record["id"]):
        if record["id"] != before:
            before = record["id"]
            yield record


def _of(folder: Path, uids: set[str], since: int) -> Iterator[Record]:
    for entry in reader.records(folder, lambda flaw: None, since_us=since, needle=ACTS):
        if entry.record["id"] in uids and _redoable(entry.record):
            yield entry.record


def _removals(held: Iterable[Path], uids: set[str], since: int) -> dict[str, list[Record]]:
    """What became of takedowns, by their acts."""
    found: dict[str, list[Record]] = {}
    for folder in held:
        for entry in reader.records(folder, lambda flaw: None, since_us=since, needle=REMOVALS):
            if entry.record.get("act") in uids:
                found.setdefault(entry.record["act"], []).append(entry.record)
    return found


def _redo(
    session: Session, record: Record, governance: Governance, told: Mapping[str, list[Record]], lost: list[str]
) -> int:
    """One act. 1 where it was done, 0 where it is here already or stands against what is here, which is told."""
    uid = record["id"]
    if session.scalar(select(func.count()).where(Act.uid == uid)):
        return 0
    target = record["target"]
    undone = session.scalar(select(Act).where(Act.uid == record["undoes"])) if "undoes" in record else None
    act = Act(
        uid=uid,
        person=record["person"],
        reason=record["reason"],
        at=record["time"],
        kind=record["what"],
        subject=target["subject"],
        changes=target["changes"],
        undoes=undone.id if undone is not None else None,
        token=record.get("token"),
    )
    try:
        with session.begin_nested():
            for change in target["changes"]:
                _put(session, governance.tables[change["table"]], change, told.get(uid, ()))
            follow_up(session, act, governance)
    except (IntegrityError, KeyError, TypeError, AttributeError) as error:
        lost.append(f"act {uid} ({act.kind}) cannot be done again ({type(error).__name__}): do it by hand")
        return 0
    return 1


def _put(session: Session, table: Table, change: Mapping[str, Any], told: Sequence[Record]) -> None:
    """Make a row what it was after the act."""
    row, after = session.get(table.rows, change["key"]), change["after"]
    if after is None:
        if row is not None:
            session.delete(row)
    elif row is None:
        row = table.rows(**after, **dict.fromkeys(table.rows.SECRET, ""))
        session.add(row)
        session.flush()
        if table.redone is not None:
            table.redone(session, row, told)
    else:
        for name, value in after.items():
            setattr(row, name, value)
    session.flush()  # one by one: a place that is left may be taken by the next
