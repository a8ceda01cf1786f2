"""An act: what a person does to governed rows, why, and how it is undone.

Its laws:

* the rows, the act and its outbox row commit together or not at all;
* every act has a person and a reason;
* an act holds each row it touched, before and after, so that undoing needs no knowledge of what the act meant;
* an act is undone only while every row is still as the act left it, and only once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy import ColumnElement, func, inspect, select, text
from sqlalchemy.orm import Session

from gateway.control.acts.governance import SNAPSHOT_VERSION, Governance, Table
from gateway.control.acts.postgresql import COMMITTED
from gateway.control.acts.refusal import ControlError, missing
from gateway.control.acts.rows import Act, Mark, Model, Outbox

M = TypeVar("M", bound=Model)
T = TypeVar("T")

SYSTEM = "tidegate"  # who does what no person does: the first person, recovery, pruning


class Intent(NamedTuple):
    """Who does what to whom, and why. ``kind``: ``block.create``, ``account.read`` …; ``subject``: ``room:r1`` …

    ``token`` names the machine's token with which it was done, for which the person answers.
    ``uid`` is given before the act is done, so that the journal knows it by one name whatever happens on the way.
    """

    uid: str
    person: str
    reason: str
    kind: str
    subject: str
    token: str | None = None


class CommittedAct(NamedTuple, Generic[T]):
    """A committed act. ``tables`` are those it changed."""

    act: int
    result: T
    tables: frozenset[str]


class Unit:
    """The rows of one act. Everything an act changes goes through ``add``, ``change`` and ``remove``, once a row.

    ``uid`` is the act's name in the journal, ``person`` whose it is.
    """

    def __init__(self, session: Session, governance: Governance, uid: str = "", person: str = "") -> None:
        self.session = session
        self.governance = governance
        self.uid = uid
        self.person = person
        self.undoes: int | None = None
        self._touched: list[tuple[Model, dict[str, Any] | None, bool]] = []  # row, before, whether it stays

    def get(self, model: type[M], key: Any) -> M | None:
        return self.session.get(model, key)

    def add(self, row: M) -> M:
        self.session.add(row)
        self._touched.append((row, None, True))
        return row

    def change(self, row: M, **values: Any) -> M:
        self._touched.append((row, row.as_row(), True))
        for name, value in values.items():
            setattr(row, name, value)
        return row

    def remove(self, row: Model) -> None:
        self._touched.append((row, row.as_row(), False))
        self.session.delete(row)

    def has_room(self, model: type[Model], most: int, *where: ColumnElement[bool]) -> None:
        """Refuse one more row of ``model`` where ``most`` of them (``where`` that holds) are there already: the
        snapshot must not outgrow its bound."""
        if self.session.scalars(select(func.count()).select_from(model).where(*where)).one() >= most:
            raise ControlError(409, "control.too_many", f"At most {most} of these can be in force; lift one first.")

    def changes(self) -> list[dict[str, Any]]:
        """Each row before and after, flushed once: an import has hundreds of them."""
        self.session.flush()
        found: list[dict[str, Any]] = []
        for row, before, stays in self._touched:
            after = row.as_row() if stays else None
            key = inspect(type(row)).primary_key[0].name
            held = before or after or {}
            found.append({"table": row.__tablename__, "key": held[key], "before": before, "after": after})
        return found


def perform(
    session: Session,
    intent: Intent,
    work: Callable[[Unit], T],
    governance: Governance,
    clock: Callable[[], int] = time.time_ns,
) -> CommittedAct[T]:
    """Do ``work`` as one act, within the session's transaction."""
    unit = Unit(session, governance, intent.uid, intent.person)
    result = work(unit)
    changes = unit.changes()
    for name in sorted({change["table"] for change in changes}):
        guard = governance.tables[name].guard
        if guard is not None:
            guard(unit, [change for change in changes if change["table"] == name])
    act = Act(
        uid=intent.uid,
        person=intent.person,
        reason=intent.reason,
        at=clock() // 1000,
        kind=intent.kind,
        subject=intent.subject,
        changes=changes,
        undoes=unit.undoes,
        token=intent.token,
    )
    tables = follow_up(session, act, governance)
    return CommittedAct(act.id, result, tables)


def follow_up(session: Session, act: Act, governance: Governance) -> frozenset[str]:
    """Put an act beside the rows that it changed, with all that follows from it; the tables of those rows."""
    session.add(act)
    session.flush()
    if act.undoes is not None:
        undone = session.get_one(Act, act.undoes)
        undone.undone_by = act.id
    tables = frozenset(change["table"] for change in act.changes)
    if tables & governance.in_snapshot:
        raise_mark(session, SNAPSHOT_VERSION)
    projected = governance.projected
    payload = [
        {"table": change["table"], "subject": subject(change, projected[change["table"]])}
        for change in act.changes
        if change["table"] in projected
    ]
    # Where nothing is to be projected, state has acknowledged by having nothing to say.
    session.add(
        Outbox(
            act_id=act.id,
            payload=payload,
            acknowledged_state=not tables & (projected.keys() | governance.in_snapshot),
        )
    )
    if session.connection().dialect.name == "postgresql":
        session.execute(text(f"NOTIFY {COMMITTED}"))
    return tables


def subject(change: dict[str, Any], place: Sequence[str]) -> dict[str, Any]:
    """The columns that name the row's place in state."""
    row = change["after"] or change["before"]
    return {name: row[name] for name in place}


def raise_mark(session: Session, name: str, at_least: int = 0, clock: Callable[[], int] = time.time_ns) -> int:
    """Raise a mark by one, and to ``at_least``. It begins at the time of day, in milliseconds, past all that a database
    before this one gave; from then on no clock is asked."""
    mark = session.get(Mark, name)
    if mark is None:
        mark = Mark(name=name, value=clock() // 1_000_000)
        session.add(mark)
    mark.value = max(mark.value + 1, at_least)
    return mark.value


def undo(unit: Unit, act_id: int, allowed: Callable[[Table], None] = lambda table: None) -> Act:
    """Put every row of an act back as it was before it, apart from what lasts. ``allowed`` raises for a table whose
    rows the caller may not put back."""
    act = unit.get(Act, act_id)
    if act is None:
        raise missing("act")
    if act.undone_by is not None:
        raise ControlError(409, "control.undone_already", f"Act {act_id} was undone by act {act.undone_by}.")
    changes = [change for change in act.changes if change["table"] not in unit.governance.lasting]
    tables = unit.governance.tables
    if not changes or not all(tables[change["table"]].restores(change) for change in changes):
        raise ControlError(409, "control.not_undoable", f"An act of the kind {act.kind} cannot be undone.")
    for name in sorted({change["table"] for change in changes}):
        allowed(tables[name])
    for change in reversed(changes):
        _restore(unit, change)
    unit.undoes = act_id
    return act


def _restore(unit: Unit, change: dict[str, Any]) -> None:
    model = unit.governance.rows(change["table"])
    row = unit.get(model, change["key"])
    if (row.as_row() if row is not None else None) != change["after"]:
        raise ControlError(
            409,
            "control.changed_since",
            f"A row of “{change['table']}” was changed by a later act; undo that one first.",
        )
    before = change["before"]
    if row is None:
        if before is not None:
            unit.add(model(**before))
    elif before is None:
        unit.remove(row)
    else:
        unit.change(row, **before)


def page(session: Session, before: int | None, kind: str | None, limit: int) -> Sequence[Act]:
    """Acts from the newest to the oldest, ``limit`` at most, those before the id ``before``."""
    query = select(Act).order_by(Act.id.desc()).limit(limit)
    if before is not None:
        query = query.where(Act.id < before)
    if kind is not None:
        query = query.where(Act.kind == kind)
    return session.scalars(query).all()
