"""Re-send tickets (重发凭证): a person approved this text of this sender in this place, so its words are found no more.

A ticket is weighed like what people have switched on (``overlay``), but it lets pass: findings in the text and holds
count no more, once. Identity, blocks, limits, repeats, the room's state, switches, urgent words and copies count as
they always do. It is used up when the platform has taken the message; until control has heard of that, which takes a
second, a worker remembers by itself which ones are in use, and state does for all of them: a message that comes with a
ticket asks for it first (``StateClient.take_ticket``), and no other one asks anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

from filters.model.message import Message
from filters.model.rule import Rule
from filters.model.verdict import TICKET, Decided, Finding

if TYPE_CHECKING:
    from gateway.state.model.snapshot import TicketRow

USED = "ticket.used"
_RULE = Rule(TICKET, "label", "reject", None)


class _Ticket(NamedTuple):
    id: int
    digest: str
    until_us: int  # microseconds since the epoch
    decided: Decided


class Tickets:
    """The tickets of one snapshot. ``used``: by ticket, the message that is on its way with it; shared by all snapshots
    of a worker."""

    __slots__ = ("_tickets", "_used")

    def __init__(self, rows: Sequence[TicketRow], used: dict[int, str]) -> None:
        self._used = used
        self._tickets: dict[tuple[str, str, str], list[_Ticket]] = {}
        for row in rows:
            decided = Decided(_RULE, Finding(TICKET, USED, detail={"ticket": row.id}), "pass")
            ticket = _Ticket(row.id, row.digest, row.expires_at * 1_000_000, decided)
            self._tickets.setdefault((row.route, row.room, row.sender), []).append(ticket)
        present = {row.id for row in rows}
        for gone in used.keys() - present:
            del used[gone]

    def act(self, message: Message) -> Decided | None:
        """What lets this message pass; None for any other. It counts as used from now on: see ``unused``."""
        tickets = self._tickets.get((message.route, message.room, message.sender))
        if tickets is None:
            return None
        wanted = digest(message.texts)
        for ticket in tickets:
            if ticket.digest == wanted and message.received_at < ticket.until_us and ticket.id not in self._used:
                self._used[ticket.id] = message.id
                return ticket.decided
        return None

    def unused(self, message_id: str) -> list[int]:
        """The message did not go on: its ticket may be used again. Which one that was."""
        found = [ticket for ticket, by in self._used.items() if by == message_id]
        for ticket in found:
            del self._used[ticket]
        return found


def digest(texts: Sequence[str]) -> str:
    """BLAKE2b-128 (RFC 7693) of texts, each behind its length: 32 hexadecimal digits."""
    told = blake2b(digest_size=16)
    for text in texts:
        plain = text.encode("utf-8", "surrogatepass")
        told.update(len(plain).to_bytes(8, "big") + plain)
    return told.hexdigest()
