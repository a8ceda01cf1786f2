"""What control needs of its neighbours, as it needs it: the journal, state, the supervisor, the compiled lists.

``gateway.control.adapters`` binds them to the real ones; tests bind them to small ones of their own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from gateway.state.model.snapshot import SnapshotRows

if TYPE_CHECKING:
    from gateway.control.ports.schemas import TryOut

Row = Mapping[str, Any]


class Change(NamedTuple):
    """A row as it is now, or None where it is gone. ``key`` is its primary key; ``subject`` what it stood for.

    A removed row cannot be read any more, so ``subject`` carries the columns that name its place in state:
    ``{"scope", "value"}`` of a block, ``{"sender"}`` of an account, ``{"room"}`` of a room.
    """

    table: str
    subject: Row
    row: Row | None


class ActJournal(Protocol):
    """The journal as acts need it."""

    async def append(self, act: Row) -> None:
        """Write the record of one act; returns when it is written, raises when it may not be.

        ``act`` is a row of ``Act``, with ``undoes_uid``, the journal's name of the act that it undoes, or empty.
        """

    async def recorded(self, uids: Collection[str], since: int) -> set[str]:
        """Which of these acts, all done at ``since`` (µs since the epoch) or later, the journal already holds."""


class Projection(Protocol):
    """Governance data in state."""

    async def apply(self, changes: Sequence[Change]) -> None:
        """Bring these subjects up to date. Harmless when repeated."""

    async def publish(self, snapshot: SnapshotRows) -> None:
        """Store the snapshot, raise its version key and tell every node."""

    async def confirm(self) -> bool:
        """Renew the epoch: what is in state is what the database says. False where state lost it: rebuild."""

    async def restarted(self) -> bool:
        """Was the server started again since the last rebuild? Then it may hold less than was written: rebuild."""

    async def rebuild(self, batches: Iterable[Sequence[Change]], snapshot: SnapshotRows) -> int:
        """Replace all governance data by ``batches``; returns how many subjects were written."""

    async def ping(self) -> None:
        """Raise where state does not answer."""


class Reloaded(NamedTuple):
    """What became of a reload. ``problems`` are told as the compiler told them."""

    ok: bool
    generation: int | None
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


class Reloader(Protocol):
    """The supervisor, who compiles and swaps generations."""

    async def reload(self) -> Reloaded:
        """Compile aside and swap; ``ok`` is false where the last good generation stayed."""

    async def status(self) -> Mapping[str, Any]:
        """``{"generation", "children": {name: {"pid", "state", "restarts"}}}``; raises ChannelError."""


class ListInfo(NamedTuple):
    """A list as the generation in force holds it."""

    name: str
    kind: str
    digest: str
    words: int


class Asked(NamedTuple):
    """A deletion that the platform is asked for. ``upstream_id``: empty where the platform never told one."""

    message_id: str
    upstream_id: str
    route: str
    room: str


class Said(NamedTuple):
    """What came of asking. ``status``: the answer's, None where there was none; ``problem``: then why, as a code."""

    gone: bool
    status: int | None
    problem: str = ""


class Deleter(Protocol):
    """The platform, as far as it deletes messages."""

    async def delete(self, asked: Asked) -> Said:
        """Ask once; never raises."""

    def confirm_within(self, route: str) -> float:
        """Seconds the platform has to confirm; 0 where it cannot be asked."""


class MessageTold(NamedTuple):
    """A message as the journal holds it. ``state``: of its last outcome, empty where there is none yet; ``at`` in
    microseconds since the epoch; ``texts``: None where they were not kept, or are sealed."""

    id: str
    route: str
    room: str
    at: int
    verdict: str
    state: str
    upstream_id: str
    texts: tuple[str, ...] | None


class CopyTold(NamedTuple):
    """Another message with the same fingerprint. ``at`` in microseconds since the epoch."""

    id: str
    route: str
    room: str
    at: int
    verdict: str


class CopiesTold(NamedTuple):
    """``complete``: everything since then was looked at. ``more``: found beyond those that are listed."""

    copies: Sequence[CopyTold]
    senders: int
    more: int
    complete: bool


class Messages(Protocol):
    """What the journal knows of messages."""

    async def find(self, message_id: str) -> MessageTold | None:
        """By our id."""

    async def named(self, route: str, upstream_id: str) -> str:
        """Our id of what the platform calls so on this route; empty where nobody knows."""

    def fingerprint(self, texts: tuple[str, ...]) -> str:
        """16 hexadecimal digits; empty where the texts fold to nothing."""

    async def copies(self, fingerprint: str, since_us: int, but: str) -> CopiesTold:
        """Messages with this fingerprint, the newest first, other than ``but``."""

    async def append(self, record: Row) -> None:
        """Write a record; returns when it is written, raises when it may not be."""


class Lists(Protocol):
    """The compiled lists of the generation in force."""

    def all(self) -> Sequence[ListInfo]:
        """Every configured list, by name."""

    def check(self, name: str, line: str) -> Sequence[str]:
        """What is wrong with ``line`` as a line of this list; empty where nothing is."""

    def check_urgent(self, word: str) -> Sequence[str]:
        """What is wrong with ``word`` as an urgent word; empty where nothing is."""

    def attempt(self, name: str, text: str) -> TryOut:
        """What reading ``text`` with this list gives."""
