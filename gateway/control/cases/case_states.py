"""The states of a case, as a table that a reader can see.

    waiting ──► claimed ──► decided ──► done          decided: can still be taken back, ``undo`` long
       ▲           │           │
       └───────────┴───────────┘  given up, timed out, passed on to another desk; something new came up
    waiting, claimed, decided ──► void                what it was about is no more
    waiting ──► expired                               never while somebody holds it

At which desk it waits (``Desk``) is told beside: ``first`` for everybody, ``second`` for another person than the one
who wants it decided so, ``lead`` for leads. What is not in the table does not happen: ``after`` raises.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from filters.model.errors import TidegateError


class CaseState(StrEnum):
    WAITING = "waiting"
    CLAIMED = "claimed"
    DECIDED = "decided"
    DONE = "done"
    VOID = "void"
    EXPIRED = "expired"


class Desk(StrEnum):
    """Who a case waits for."""

    FIRST = "first"
    SECOND = "second"
    LEAD = "lead"


class Move(StrEnum):
    """What happens to a case; the name under which its trace has it."""

    OPEN = "opened"
    ADD = "cause-added"
    SUPERSEDE = "superseded"  # an edit took the message's place
    CLAIM = "claimed"
    RENEW = "renewed"
    TIME_OUT = "timed-out"
    RELEASE = "released"
    LOG_OUT = "logged-out"
    ROLE_LOST = "role-lost"
    HAND_OVER = "handed-over"
    ESCALATE = "escalated"
    PROPOSE = "proposed"  # decided by the first of two people
    AGREE = "agreed"
    DISAGREE = "disagreed"
    DECIDE = "decided"
    UNDO = "undone"
    UNOPENED = "unopened"  # what was decided cannot be done: nobody here can open the message
    FINISH = "done"
    OVERRULE = "overruled"  # decided elsewhere, at once: a takedown of what is held
    VOID = "void"
    EXPIRE = "expired"
    REOPEN = "reopened"
    SAMPLE = "sampled"  # drawn to be decided once more, by somebody who does not know what was decided
    LOOK_AGAIN = "looked-again"  # decided once more: nothing follows from it


_W, _C, _D = CaseState.WAITING, CaseState.CLAIMED, CaseState.DECIDED

TRANSITIONS: Final[dict[tuple[CaseState, Move], CaseState]] = {
    (_W, Move.ADD): _W,
    (_C, Move.ADD): _C,  # to be read again
    (_D, Move.ADD): _W,  # nobody has decided on this yet
    (_W, Move.SUPERSEDE): _W,
    (_C, Move.SUPERSEDE): _C,
    (_D, Move.SUPERSEDE): _W,
    (_W, Move.CLAIM): _C,
    (_C, Move.RENEW): _C,
    (_C, Move.TIME_OUT): _W,
    (_C, Move.RELEASE): _W,
    (_C, Move.LOG_OUT): _W,
    (_C, Move.ROLE_LOST): _W,
    (_C, Move.HAND_OVER): _W,
    (_C, Move.ESCALATE): _W,
    (_C, Move.PROPOSE): _W,
    (_C, Move.DISAGREE): _W,
    (_C, Move.AGREE): _D,
    (_C, Move.DECIDE): _D,
    (_D, Move.UNDO): _C,
    (_D, Move.UNOPENED): _W,
    (_D, Move.FINISH): CaseState.DONE,
    (_W, Move.OVERRULE): CaseState.DONE,
    (_C, Move.OVERRULE): CaseState.DONE,
    (_D, Move.OVERRULE): CaseState.DONE,
    (_W, Move.VOID): CaseState.VOID,
    (_C, Move.VOID): CaseState.VOID,
    (_D, Move.VOID): CaseState.VOID,
    (_W, Move.EXPIRE): CaseState.EXPIRED,
    (CaseState.DONE, Move.REOPEN): CaseState.DONE,  # by a new case, which names it
    (CaseState.DONE, Move.SAMPLE): CaseState.DONE,
    (CaseState.DONE, Move.LOOK_AGAIN): CaseState.DONE,
}

DESKS: Final[dict[Move, Desk]] = {
    Move.OPEN: Desk.FIRST,
    Move.ESCALATE: Desk.LEAD,
    Move.PROPOSE: Desk.SECOND,
    Move.DISAGREE: Desk.LEAD,
}
"""Moves that name the desk at which the case waits from then on; all others leave it."""

OPEN: Final = frozenset({_W, _C, _D})
"""States in which a message has its one case."""


class NoSuchMove(TidegateError):
    """A case cannot make this move in its state; whoever answers somebody says it in their words."""


def after(state: CaseState, move: Move) -> CaseState:
    """The state that follows. Raises ``NoSuchMove``."""
    found = TRANSITIONS.get((state, move))
    if found is None:
        raise NoSuchMove(f"no case is {move} while it is {state}")
    return found


def desk_after(desk: Desk, state: CaseState, move: Move) -> Desk:
    """Where it waits from then on. What one of two people wanted is about a message that is no more, or is not
    known whole, once something new came up."""
    if move in (Move.ADD, Move.SUPERSEDE, Move.UNOPENED) and (
        desk is Desk.SECOND or (state is _D and desk is not Desk.LEAD)
    ):
        return Desk.FIRST
    return DESKS.get(move, desk)
