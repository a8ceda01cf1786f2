"""May this database speak for what is in force? Not while it lacks acts that were done (law 15).

A database that was put back from yesterday would lift today's blocks. It is told by the journal, which holds acts that
it does not know, and by state, whose snapshot is newer than any that it made. Until a person has put the acts back
(``tidegate restore --acts-from``) or given them up (``tidegate state claim``), nothing is projected and nothing done.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from filters.model.errors import TidegateError
from gateway.control.acts.refusal import ControlError, DatabaseUnavailable

REMEDY = (
    "stop the node and say “tidegate restore --acts-from JOURNAL”; to give up for good what was done since, say "
    "“tidegate state claim”"
)


class DatabaseBehind(TidegateError):
    """The control database lacks acts; the text says how that is known, and what can be done."""


class Authority:
    """``journal`` and ``state``: why the database is behind each; empty where it is not. ``distrusted``: rows that the
    acts that it lacks have changed, by table and key: whom they removed, or gave another token or role. The token that
    it knows of them may be a stolen one, and opens nothing: least of all the way to give up what was done since.
    ``looked``: whether the database was looked at since it was away; what came back may be another one, or an older
    one."""

    def __init__(self) -> None:
        self.journal = ""
        self.state = ""
        self.distrusted: frozenset[tuple[str, Any]] = frozenset()
        self.looked: Callable[[], bool] = lambda: True

    @property
    def problem(self) -> str:
        """Empty where the database may speak."""
        told = self.journal or self.state
        return f"{told}: {REMEDY}" if told else ""

    def check(self) -> None:
        """Raises ``DatabaseBehind``, ``DatabaseUnavailable``."""
        if not self.looked():
            raise DatabaseUnavailable("is being looked at")
        if self.problem:
            raise DatabaseBehind(self.problem)

    def refuse(self) -> None:
        """Raises ``ControlError``, for whoever wants something done."""
        if self.problem:
            raise ControlError(503, "control.database_behind", f"Nothing was done: {self.problem}.")

    def settled(self) -> None:
        """A person has decided."""
        self.journal = self.state = ""
        self.distrusted = frozenset()


def older_than_state(ours: int, theirs: int) -> str:
    """Why a database whose newest snapshot is ``ours`` is behind a state that holds ``theirs``; empty where it is
    not."""
    if theirs <= ours:
        return ""
    return f"the control database is older than what state holds (snapshot {ours}, state has {theirs})"
