"""Cases as the desk tells of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from gateway.control.cases import cases
from gateway.control.cases.case_states import CaseState
from gateway.control.cases.rows import Case, CaseCause, CaseEvent
from gateway.control.review.desk_settings import DeskSettings
from gateway.control.review.neighbours import CaseText
from gateway.control.review.schemas import CaseEventOut, CaseOut, CaseShown, CauseOut, TextOut


class Loaded(NamedTuple):
    """A case as it stood at one moment, with what belongs to it."""

    case: Case
    causes: Sequence[CaseCause]
    trace: Sequence[CaseEvent] = ()


def loaded(session: Session, rows: Sequence[Case], *, traced: bool = False) -> list[Loaded]:
    """To be told once the transaction is over."""
    causes = cases.causes(session, [row.id for row in rows])
    return [Loaded(row, causes[row.id], cases.trace(session, row.id) if traced else ()) for row in rows]


class CaseTelling:
    """``now`` in µs since the epoch; ``person``: whom it is told to."""

    def __init__(self, settings: DeskSettings, now: int, person: str) -> None:
        self._settings = settings
        self._now = now
        self._person = person
        self._late = settings.hours.since(now, settings.service)

    def of(self, one: Loaded, words: Sequence[str] | None = None) -> CaseOut:
        return CaseOut(**self._values(one, words))

    def listed(self, one: Loaded, words: Sequence[str] | None = None) -> CaseOut:
        """Without whose it is, which nobody reads without a trace."""
        return CaseOut(**self._values(one, words) | {"sender": None})

    def shown(self, one: Loaded, text: CaseText) -> CaseShown:
        return CaseShown(
            **self._values(one, found(text)),
            text=TextOut(
                texts=list(text.texts),
                masked=list(text.masked) if text.masked is not None else None,
                findings=[dict(finding) for finding in text.findings],
                missing=text.missing,
            ),
            trace=[CaseEventOut.model_validate(event.as_row()) for event in one.trace],
        )

    def _values(self, one: Loaded, words: Sequence[str] | None) -> dict[str, Any]:
        case = one.case
        waits = case.state in (CaseState.WAITING, CaseState.CLAIMED)
        return case.as_row() | {
            "causes": [CauseOut.model_validate(cause.as_row()) for cause in one.causes],
            "age": max(self._now - case.opened_at, 0) / 1e6,
            "serve_by": self._settings.hours.due(case.due_at, self._settings.service),
            "overdue": waits and case.due_at < self._late,
            "taken_from_you": bool(self._person) and case.tell == self._person,
            "words": list(words) if words is not None else None,
        }


def found(text: CaseText) -> list[str]:
    """The words that were found, as they were written, each once."""
    words: dict[str, None] = {}
    for finding in text.findings:
        at = finding.get("field", 0)
        if isinstance(at, int) and 0 <= at < len(text.texts):
            words.update((text.texts[at][start:end], None) for start, end in finding.get("spans", ()))
    return [word for word in words if word]
