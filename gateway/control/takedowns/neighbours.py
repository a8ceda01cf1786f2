"""What takedowns need of their neighbours, as they need it: the platform, and the journal of messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from sqlalchemy.orm import Session

from gateway.control.acts.acts import Unit
from gateway.control.acts.neighbours import Row
from gateway.control.acts.refusal import ControlError
from gateway.control.takedowns.rows import Takedown


class Asked(NamedTuple):
    """A deletion that the platform is asked for. ``upstream_id``: empty where the platform has told none.
    ``outstanding``: what became of the message is not known yet, so it may still be on its way to the platform."""

    message_id: str
    upstream_id: str
    route: str
    room: str
    outstanding: bool = False


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

    def appeal_code(self, message_id: str) -> str:
        """The code by which its sender appeals; empty where nothing is appealed here."""


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


class JournalledMessages(Protocol):
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


class HeldMessages:
    """Messages that wait for a person, or did: here none does."""

    def take_down(self, unit: Unit, message_id: str, reason: str, ground: str, within: float) -> Takedown:
        """Within an act: refuse what waits, take down what was released, or will be. ``within``: seconds that the
        platform has. Raises ``ControlError``."""
        raise ControlError(409, "control.not_published", "The message was never shown: there is nothing to take down.")

    def to_be_sent(self, session: Session, message_id: str) -> bool:
        """Whether its sender can send it again with a ticket."""
        return False

    def deleted(self, unit: Unit, message_id: str, by: str) -> str:
        """Within an act: it was deleted elsewhere, by ``user``, ``platform`` or ``erasure``. What waits is not
        published any more; of what was, our id of it is told, empty for none. Raises ``ControlError``."""
        return message_id

    def state(self, session: Session, message_id: str) -> str:
        """What became of one of them; empty where nobody knows of it any more."""
        return ""
