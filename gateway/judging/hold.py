"""Messages that a person is to decide on: parked, then recorded, then told.

Laws:

* the judged record of a hold is written after the message is on disk, sealed (``parking/spool.py``), and its outcome
  ``held`` after that; its sender hears last. Whoever is killed in between leaves a parked message without a record: it
  was promised to nobody, and control drops it;
* what cannot be parked is worth what the rule's ``on_error`` says (law 3), and what is beyond a bound, ``on_cap``;
* what an incident holds while its delay runs has its judged record already: its outcome ``held`` is what promises it;
* a message that is not held comes nowhere near this file.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final, Protocol

from gateway.judging.pipeline import NO_REVIEW
from gateway.parking.parked import parked
from gateway.parking.status_site import SUPERSEDES, named_by
from gateway.parking.waiting import KnownWaiting, WaitingPlace, place

if TYPE_CHECKING:
    from filters.model.verdict import OnError, Verdict
    from gateway.judging.pipeline import Passage
    from gateway.parking.parked import Original
    from gateway.parking.settings import ReviewSettings
    from gateway.parking.spool import Spool

FULL: Final = {"sender": "review.waiting", "room": "review.full", "all": "review.full"}
"""By bound, the reason that a sender is told."""
TOGETHER: Final = "batch.held"
"""The reason where one of several messages of a request is to be held: the request goes on once, or not at all."""


class Concluding(Protocol):
    """Who hears whether a message could be parked: its passage, or, where that was judged before, what it waits in."""

    def conclude(self, verdict: Verdict) -> None:
        """It is parked, and ``verdict`` is the one on it."""

    def cannot_wait(self, verdict: Verdict, reason: str, cause: str, costs: OnError | None = None) -> None:
        """It cannot be: see ``Passage``."""


class Holding:
    """Of one worker. ``settings`` and the spool's seal are swapped by a reload."""

    __slots__ = ("settings", "spool", "waiting")

    def __init__(self, settings: ReviewSettings, spool: Spool, waiting: KnownWaiting) -> None:
        self.settings = settings
        self.spool = spool
        self.waiting = waiting

    def hold(self, passage: Passage, verdict: Verdict, late: Concluding | None = None) -> None:
        """Park the message, then conclude with ``verdict``; or with what it comes to where that cannot be. ``late``:
        who concludes where the message is judged already, and an incident holds it while its delay runs."""
        concluding = late or passage
        original = passage.original()
        if original is None:
            concluding.cannot_wait(verdict, TOGETHER, "together", "reject")
            return
        message = passage.message
        settings = self.settings
        where = place(message.route, message.sender, message.room)
        bound = self.waiting.full(where, settings)
        if bound == "sender" and self._replaces(original):
            bound = self.waiting.full(where, settings, 1)
        if bound:
            concluding.cannot_wait(verdict, FULL[bound], bound, settings.on_cap)
            return
        request = parked(message, verdict, original, passage.scan.fingerprint)._replace(late=late is not None)
        plain = request.encode()
        passage.parked = hashlib.sha256(plain).hexdigest()
        self.spool.park(message.id, plain, HeldPassage(self.waiting, where, concluding, verdict))

    def _replaces(self, original: Original) -> bool:
        """Whether it takes the place of one that waits."""
        named = next((value for name, value in original.headers if name == SUPERSEDES.decode()), "")
        return not original.socket and bool(named_by(self.spool.seal, named))

    def address(self, message_id: str) -> str:
        """Where its sender, who alone is told, asks what became of a message."""
        return f"{self.settings.path}{message_id}.{self.spool.seal.token(message_id)}"


class HeldPassage:
    """A passage that waits until it is parked: a ``Parking``. It counts from its making on."""

    __slots__ = ("_concluding", "_verdict", "_waiting", "_where")

    def __init__(self, waiting: KnownWaiting, where: WaitingPlace, concluding: Concluding, verdict: Verdict) -> None:
        waiting.begin(where)
        self._waiting = waiting
        self._where = where
        self._concluding = concluding
        self._verdict = verdict

    def on_parked(self, file: str) -> None:
        """See ``Parking``."""
        self._waiting.parked(file, self._where)
        self._concluding.conclude(self._verdict)

    def on_unparked(self, cause: str) -> None:
        """See ``Parking``."""
        self._waiting.gone(self._where)
        self._concluding.cannot_wait(self._verdict, NO_REVIEW, cause)
