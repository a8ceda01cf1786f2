"""What acts need of their neighbours, as they need it: the journal, state, the supervisor.

``gateway.control.adapters`` binds them to the real ones; tests bind them to small ones of their own.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from gateway.state.cold.eviction import Eviction
from gateway.state.cold.owner import StateOwner
from gateway.state.model.snapshot import SnapshotRows

Row = Mapping[str, Any]


class Change(NamedTuple):
    """A row as it is now, or None where it is gone. ``key`` is its primary key; ``subject`` what it stood for.

    A removed row cannot be read any more, so ``subject`` carries the columns that name its place in state:
    ``{"scope", "value"}`` of a block, ``{"sender"}`` of an account, ``{"room"}`` of a room. ``act``: the newest when it
    was read.
    """

    table: str
    subject: Row
    row: Row | None
    act: int = 0


Batches = Iterable[Sequence[Change]] | AsyncIterable[Sequence[Change]]
"""Rows, some at a time: where they come from a database, it must not hold up a loop."""


class ActJournal(Protocol):
    """The journal as acts need it."""

    async def append(self, act: Row) -> None:
        """Write the record of one act; returns when it is written, raises when it may not be.

        ``act`` is a row of ``Act``, with ``undoes_uid``, the journal's name of the act that it undoes, or empty.
        """

    async def recorded(self, uids: Collection[str], since: int) -> set[str]:
        """Which of these acts, all done at ``since`` (µs since the epoch) or later, the journal already holds."""


class Projection(Protocol):
    """Governance data in state. What writes raises ``NotOurs`` where state belongs to another database."""

    async def apply(self, changes: Sequence[Change]) -> None:
        """Bring these subjects up to date, where nothing newer is there. Harmless when repeated. Raises
        ``ReadTooEarly`` where they have to be read again."""

    async def publish(self, snapshot: SnapshotRows) -> None:
        """Store the snapshot and its version, unless a newer one is there, and tell every node."""

    async def confirm(self) -> bool:
        """Renew the epoch: what is in state is what the database says. False where state lost it: rebuild."""

    async def restarted(self) -> bool:
        """Was a server started again since the last rebuild, or did another take over? Then it may hold less than was
        written: rebuild."""

    async def replicated(self, *, every: bool = False) -> bool | None:
        """Whether a replica has what was written until now, with ``every`` each of them, which also looks which there
        are; None where there is none."""

    async def rebuild(
        self, batches: Batches, snapshot: SnapshotRows, epoch: int, newest: Callable[[], Awaitable[int]]
    ) -> int:
        """Replace all governance data by ``batches``; returns how many subjects were written. ``epoch``: a number above
        all that were given before. ``newest`` tells the newest act; it is asked before the first batch is. Raises
        ``Overtaken`` where another control began to do the same after us."""

    async def numbers(self) -> tuple[int, int]:
        """The highest epoch in state, and the newest act up to which rows were read that stand in it."""

    async def version(self) -> int:
        """Of the snapshot in state; 0 where there is none."""

    async def holds_snapshot(self) -> bool:
        """Is the snapshot in state?"""

    async def lacking(self, changes: Sequence[Change]) -> Sequence[Change]:
        """Those of these rows whose value is not in state. Raises where state lost all of it: rebuild."""

    async def eviction(self) -> Eviction:
        """What the server throws away when its memory is full."""

    async def claim(self) -> StateOwner | None:
        """Make state this database's; tells whose it was. What is in it is still theirs: rebuild."""

    async def ping(self) -> None:
        """Raise where state does not answer."""


class Reloaded(NamedTuple):
    """What became of a reload. ``problems`` are told as the compiler told them; ``lists``: how each list changed."""

    ok: bool
    generation: int | None
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    lists: tuple[Mapping[str, Any], ...] = ()


class Reloader(Protocol):
    """The supervisor, who compiles and swaps generations."""

    async def reload(self, may_shrink: Sequence[str] = ()) -> Reloaded:
        """Compile aside and swap; ``ok`` is false where the last good generation stayed. ``may_shrink``: lists that are
        meant to be emptied, or more than halved."""

    async def status(self) -> Mapping[str, Any]:
        """``{"generation", "since", "refused", "stopping", "children": {name: {"pid", "state", "restarts"}}}``, moments
        in microseconds since the epoch; raises ChannelError."""
