"""What was sent to a server and not answered yet."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from filters.model.message import Message
from filters.model.verdict import Facts, Scan
from gateway.state.hot.plan import AdmitShape, Plan

if TYPE_CHECKING:
    from gateway.state.hot.server_link import ServerLink


class Pending(NamedTuple):
    """One message that waits for its facts."""

    plan: Plan
    message: Message
    scan: Scan
    then: Callable[[Facts], None]


class Flight(Protocol):
    """A command on its way. ``sent_at``: monotonic seconds, set by the link, as ``due`` is: what the link will have
    counted of the server's time when it is late. ``missed``: its deadline passed, and its callers were told; a late
    reply is read past. ``weight``: how many messages wait for it."""

    sent_at: float
    due: float
    missed: bool
    weight: int

    def on_reply(self, reply: Any) -> None:
        """The answer came in time; it may be a ``hiredis.ReplyError``."""

    def on_failure(self, cause: str) -> None:
        """No answer came in time, or none will come."""


class AdmitBatch:
    """Up to 32 messages in one call of ``admit.lua``. ``arguments``: everything after the script's name."""

    __slots__ = (
        "_failed",
        "_replied",
        "again",
        "arguments",
        "count",
        "due",
        "entries",
        "epoch",
        "link",
        "missed",
        "sent_at",
        "shapes",
        "slot",
        "tries",
        "weight",
    )

    def __init__(
        self,
        entries: list[Pending],
        epoch: int,
        slot: int,
        replied: Callable[[AdmitBatch, Any], None],
        failed: Callable[[AdmitBatch, str], None],
    ) -> None:
        self.entries = entries
        self.weight = len(entries)
        self.epoch = epoch
        self.slot = slot  # of a cluster; -1 on a single server
        self.shapes: list[AdmitShape] = []
        self.link: ServerLink  # set when sent
        self.arguments = b""  # of the call, after the script's name
        self.count = 0  # of all words of the command
        self.again = False  # sent a second time, with the epoch the first reply told
        self.tries = 0  # how often it was sent once more because its slot is on its way
        self.missed = False
        self.sent_at = 0.0
        self.due = 0.0
        self._replied = replied
        self._failed = failed

    def on_reply(self, reply: Any) -> None:
        self._replied(self, reply)

    def on_failure(self, cause: str) -> None:
        self._failed(self, cause)


class CommandFlight:
    """Any other command: its reply goes to ``replied`` where somebody waits for it, its failure to ``failed``."""

    __slots__ = ("_failed", "_replied", "due", "missed", "sent_at", "weight")

    def __init__(
        self, replied: Callable[[Any], None] | None = None, failed: Callable[[str], None] | None = None
    ) -> None:
        self.weight = 0
        self.missed = False
        self.sent_at = 0.0
        self.due = 0.0
        self._replied = replied
        self._failed = failed

    def on_reply(self, reply: Any) -> None:
        if self._replied is not None:
            self._replied(reply)

    def on_failure(self, cause: str) -> None:
        if self._failed is not None:
            self._failed(cause)


class GiveBack(CommandFlight):
    """One call of ``give_back.lua``. Nobody waits for it; ``returned`` sends it again where the script is unknown.

    It holds nothing that holds it: there is one for each message that is refused, and what only the collector of cycles
    finds is looked for at once, fifty thousand of them in tens of milliseconds.
    """

    __slots__ = ("_returned", "arguments", "count", "link")

    def __init__(
        self,
        arguments: bytes,
        count: int,
        link: ServerLink,
        returned: Callable[[GiveBack, Any], None] | None = None,
    ) -> None:
        super().__init__()
        self.arguments = arguments
        self.count = count
        self.link = link
        self._returned = returned

    def on_reply(self, reply: Any) -> None:
        if self._returned is not None:
            self._returned(self, reply)
