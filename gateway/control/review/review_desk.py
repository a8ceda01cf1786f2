"""The desk at work: decisions take effect once they can no longer be taken back, and the queue is measured.

    decided ──(undo)──► one act in the decider's name ──► done

Decisions of one person that go together (a bulk act) take effect together, ``AT_ONCE`` at most. Where what a case is
about can no longer be changed, the case is void and its decider told; a database that is away is asked again. After a
crash a decision stands where it stood.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway.common.metrics import METRICS, Counts
from gateway.common.rounds import Rounds
from gateway.control.acts.acts import Unit
from gateway.control.acts.ledger import Ledger
from gateway.control.acts.refusal import ControlError
from gateway.control.cases import cases, decisions, samples
from gateway.control.cases.case_states import OPEN, CaseState, Move
from gateway.control.cases.rows import Case
from gateway.control.review.desk_settings import DeskSettings
from gateway.control.review.neighbours import CaseTexts, Effect
from gateway.control.workers.totals import Series

EVERY: Final = 1.0  # seconds between two looks
AT_ONCE: Final = 50  # decisions that take effect in one act
UNOPENED: Final = "review.unopened"  # the effect needs the message, and nobody here can open it


class ReviewDesk:
    """``settings`` as they are in force; ``effects``: what a decision means, by the kind of the case; ``clock`` in
    nanoseconds since the epoch; ``chance``: from 0 to 1, by which decisions are drawn to be made once more."""

    def __init__(
        self,
        ledger: Ledger,
        settings: Callable[[], DeskSettings],
        texts: CaseTexts,
        effects: Mapping[str, Effect],
        *,
        clock: Callable[[], int] = time.time_ns,
        chance: Callable[[], float] = samples.chance,
    ) -> None:
        self.texts = texts
        self.done = Counts(METRICS["tidegate_cases_decided_total"])
        self._ledger = ledger
        self._settings = settings
        self._effects = effects
        self._clock = clock
        self._chance = chance
        self.rounds = Rounds("review.desk", self.look, EVERY)

    def start(self) -> None:
        self.rounds.start()

    async def stop(self) -> None:
        await self.rounds.stop()

    @property
    def settings(self) -> DeskSettings:
        return self._settings()

    def now(self) -> int:
        """µs since the epoch."""
        return self._clock() // 1000

    def today(self) -> int:
        """When the day began where the desk is, µs since the epoch."""
        return self.settings.hours.midnight(self.now())

    async def look(self) -> None:
        """Let take effect what can no longer be taken back."""
        if not self._ledger.leads():
            return
        try:
            while due := await self._ledger.database.read(
                lambda session: _due(session, self.now(), sorted(self._effects))
            ):
                for together in due:
                    await self._take_effect(together)
        except ControlError as error:
            if error.status != 503:  # the database is away, or lacks acts: told by itself, and asked again
                raise

    async def _take_effect(self, together: Sequence[Case]) -> None:
        first = together[0]
        ids = [case.id for case in together]
        subject = f"case:{first.id}" if len(ids) == 1 else f"cases:{len(ids)}"
        told: dict[tuple[str, str], int] = {}

        def work(unit: Unit) -> None:
            told.clear()
            for number in ids:
                kind = self._done(unit, number)
                if kind:
                    told[kind] = told.get(kind, 0) + 1

        await self._ledger.act(
            first.decided_by, reason(first, first.outcome, first.ground), "case.done", subject, work, settle=False
        )
        for label, count in told.items():
            self.done.add(label, count)

    def _done(self, unit: Unit, number: int) -> tuple[str, str] | None:
        """Kind and outcome; None where somebody was faster, or it could not be."""
        case, now = cases.get(unit.session, number), self.now()
        if case.state != CaseState.DECIDED or case.effective_at > now:
            return None
        try:
            self._effects[case.kind](unit, case, now)
        except ControlError as error:
            if error.reason == UNOPENED:
                cases.something_new(unit.session, case, Move.UNOPENED, now)
                return None
            cases.void(unit.session, case.message_id, error.reason, now=now, kind=case.kind)
            return None
        decisions.finish(unit.session, case, now=now)
        samples.draw(unit.session, case, self.settings.sample, now=now, by=self._chance)
        return case.kind, case.outcome

    async def series(self) -> dict[str, Series]:
        """How many cases there are by state, and how long the oldest waits."""
        now = self.now()
        counted, oldest = await self._ledger.database.read(lambda session: (counts(session), oldest_of(session)))
        states: Series = {(state.value,): float(sum(counted[state].values())) for state in sorted(OPEN)}
        age = max(now - oldest, 0) / 1e6 if oldest else 0.0
        return {
            "tidegate_cases": states,
            "tidegate_cases_oldest_seconds": {(): age},
            "tidegate_cases_decided_total": dict(self.done.values),
        }


def counts(session: Session) -> dict[str, dict[str, int]]:
    """Open cases by state and desk."""
    rows = session.execute(
        select(Case.state, Case.desk, func.count()).where(Case.state.in_(sorted(OPEN))).group_by(Case.state, Case.desk)
    )
    found: dict[str, dict[str, int]] = {state: {} for state in OPEN}
    for state, desk, count in rows:
        found[state][desk] = count
    return found


def oldest_of(session: Session) -> int:
    """When what is first in the queue came up, µs since the epoch; 0 where nothing waits."""
    first = select(Case.opened_at).where(Case.state == CaseState.WAITING).order_by(Case.due_at, Case.id).limit(1)
    return session.scalar(first) or 0


def reason(case: Case, outcome: str, ground: str = "") -> str:
    """Why an act on a case was done: the case is the reason, and nobody types one."""
    told = f"case {case.id}: {outcome}"
    return f"{told}, {ground}"[:256] if ground else told


def _due(session: Session, now: int, kinds: Sequence[str]) -> list[list[Case]]:
    """Decisions that take effect, those together that belong together."""

    def together(case: Case) -> tuple[str, str, str, str]:
        return case.decided_by, case.act_uid, case.outcome, case.ground

    due = sorted(decisions.effective(session, now=now, most=AT_ONCE, kinds=kinds), key=together)
    return [list(group) for _, group in groupby(due, together)]
