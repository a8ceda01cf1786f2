"""The states of an appeal, as a table that a reader can see.

    filed ──► explained ──► waiting        a limit, a repeat, an outage: explained at once, by a person on insistence
    filed ──► waiting ──► overdue          nothing is rejected by time: a lead is alarmed
              waiting, overdue ──► upheld | partly | rejected
    explained, waiting, overdue ──► withdrawn

Who has it, and whether a decision can still be taken back, is its case's to say (``gateway.control.cases``): the appeal
moves when the decision takes effect. What is not in the table does not happen: ``after`` raises.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from filters.model.errors import TidegateError


class AppealState(StrEnum):
    EXPLAINED = "explained"
    WAITING = "waiting"
    OVERDUE = "overdue"
    UPHELD = "upheld"
    PARTLY = "partly"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class AppealMove(StrEnum):
    """What happens to an appeal; the name under which its trace has it."""

    EXPLAIN = "explained"
    FILE = "filed"
    INSIST = "insisted"
    OVERRUN = "overdue"
    UPHOLD = "upheld"
    UPHOLD_PARTLY = "partly"
    REJECT = "rejected"
    WITHDRAW = "withdrawn"


_E, _W, _O = AppealState.EXPLAINED, AppealState.WAITING, AppealState.OVERDUE

BEGINNINGS: Final = {AppealMove.EXPLAIN: _E, AppealMove.FILE: _W}
"""How an appeal begins."""

TRANSITIONS: Final[dict[tuple[AppealState, AppealMove], AppealState]] = {
    (_E, AppealMove.INSIST): _W,
    (_W, AppealMove.OVERRUN): _O,
    (_W, AppealMove.UPHOLD): AppealState.UPHELD,
    (_O, AppealMove.UPHOLD): AppealState.UPHELD,
    (_W, AppealMove.UPHOLD_PARTLY): AppealState.PARTLY,
    (_O, AppealMove.UPHOLD_PARTLY): AppealState.PARTLY,
    (_W, AppealMove.REJECT): AppealState.REJECTED,
    (_O, AppealMove.REJECT): AppealState.REJECTED,
    (_E, AppealMove.WITHDRAW): AppealState.WITHDRAWN,
    (_W, AppealMove.WITHDRAW): AppealState.WITHDRAWN,
    (_O, AppealMove.WITHDRAW): AppealState.WITHDRAWN,
}

WITH_A_PERSON: Final = frozenset({_W, _O})
"""States in which somebody has to decide."""
ENDED: Final = frozenset({AppealState.UPHELD, AppealState.PARTLY, AppealState.REJECTED, AppealState.WITHDRAWN})


class NoSuchAppealMove(TidegateError):
    """An appeal cannot make this move in its state; whoever answers somebody says it in their words."""


def after(state: AppealState, move: AppealMove) -> AppealState:
    """The state that follows. Raises ``NoSuchAppealMove``."""
    found = TRANSITIONS.get((state, move))
    if found is None:
        raise NoSuchAppealMove(f"no appeal is {move} while it is {state}")
    return found
