"""Delay, then pass (延时发布): what passed waits for the seconds that its route says, in memory, and then goes on.

    judged, with its delay ──► over: record ``onward`` ──► the carrier acts, as it does at once where nothing waits
                          ├──► refused: taken down, or something that people did meanwhile stands against it
                          ├──► held: an incident holds everything (``judging/incidents.py``)
                          └──► failed: its worker stopped before its time, or died (``journal/write/recovery.py``)

Laws:

* what waits goes on in the order in which it was judged, route by route, also where a reload has changed the delay; one
  that takes the delay away lets everything go on at once;
* nothing goes on before ``onward`` is recorded (law 5): without that record a dead worker's message never left;
* a takedown wins: what has not left when it comes does not leave any more;
* what an incident holds is held at its beginning, not at the end of the delay;
* so many messages and bytes wait, of everybody and of a sender; one more is worth what ``review.on_cap`` says (law 10).

All messages of a route wait equally long, so a deque is in order, and one timer of the worker is enough: it is set for
the first of all heads.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Final

from filters.model.rule import Rule
from filters.model.verdict import Decided, Finding, Verdict
from gateway.common.metrics import METRICS, Counts
from gateway.journal.write.record import UNDELAYED, onward, outcome
from gateway.judging.kept_out import blocked, closed
from gateway.sentences.own import CAPPED

if TYPE_CHECKING:
    from filters.model.message import Message
    from filters.model.verdict import OnError
    from gateway.journal.write.errors import JournalUnavailable
    from gateway.judging.pipeline import Passage, Pipeline
    from gateway.parking.settings import ReviewSettings
    from gateway.state.model.snapshot import UnwantedRow

FULL: Final = {"sender": "delay.waiting", "all": "delay.full"}
"""By bound, the reason that a sender is told."""
TAKEN_DOWN: Final = "delay.refused"
STOPPING: Final = "worker.stopping"
"""The reason of a failure: the worker ended while the message waited."""
UNRECORDED: Final = "journal.unavailable"
AT_ONCE: Final = 256  # messages that go on in one turn of the loop
SLACK: Final = 0.002  # seconds: a timer may be a little early

_CAP: Final = Rule("delay", "reject", "reject", None, CAPPED)
_CAP_LABEL: Final = Rule("delay", "label", "reject", None)


class Delayed:
    """One message that waits: a ``Waiter`` for its record ``onward``. ``passage``: None once it waits no more.
    ``due``: seconds of the loop's clock, 0 until its judged record is written. ``leaving``: that record, or the outcome
    ``held``, was queued, and nothing stops it. ``against``: what keeps it from going; a hold gives way to what refuses
    it."""

    __slots__ = ("_delays", "against", "due", "held", "leaving", "passage", "size")

    def __init__(self, delays: Delays, passage: Passage, size: int) -> None:
        self._delays = delays
        self.passage: Passage | None = passage
        self.size = size
        self.due = 0.0
        self.leaving = False
        self.held: Verdict | None = None
        self.against: Decided | None = None

    def on_written(self) -> None:
        """It may leave."""
        passage = self._delays.ended(self, "passed")
        if passage is not None:
            try:
                passage.on_verdict()
            finally:
                self._delays.settled()

    def on_unwritten(self, error: JournalUnavailable) -> None:
        """It may not."""
        passage = self._delays.ended(self, "failed")
        if passage is not None:
            passage.pipeline.failed(passage, UNRECORDED)
            passage.on_unrecorded()
            self._delays.settled()

    def conclude(self, verdict: Verdict) -> None:
        """It is parked, and held once that is recorded; unless something refuses it by now."""
        passage = self.passage
        if passage is None:  # it goes on with nobody any more; nothing promised it
            return
        assert self.against is not None
        if self.against.effect == "reject":
            self._delays.refused(self)
            return
        self.leaving = True
        self.held = verdict
        record = outcome(passage.message.id, "held", digest=passage.parked)
        passage.pipeline.journal.append(record, self.on_held, self.on_hold_unwritten)

    def cannot_wait(self, verdict: Verdict, reason: str, cause: str, costs: OnError | None = None) -> None:
        """It cannot be parked, and goes nowhere all the same: an incident holds everything."""
        if self.passage is None:
            return
        assert self.against is not None
        if self.against.effect == "hold":
            rule, found, _, _ = self.against
            self.against = Decided(rule, Finding(rule.check, reason, detail={**found.detail, "cause": cause}), "reject")
        self._delays.refused(self)

    def on_held(self) -> None:
        """Its outcome is recorded: it waits for a person."""
        passage = self._delays.ended(self, "held")
        if passage is not None:
            assert self.held is not None
            if passage.acts:
                passage.pipeline.unused(passage)
            passage.verdict = self.held
            passage.on_verdict()
            self._delays.settled()

    def on_hold_unwritten(self, error: JournalUnavailable) -> None:
        """It is not: nobody was promised what is parked, and control drops it."""
        self.on_unwritten(error)

    def on_refused(self) -> None:
        """Its refusal is recorded."""
        passage = self._delays.ended(self, "refused")
        if passage is not None:
            assert self.against is not None
            if passage.acts:
                passage.pipeline.unused(passage)
            passage.verdict = Verdict("reject", passage.verdict.policy, (self.against,))
            passage.on_verdict()
            self._delays.settled()

    def on_refusal_unwritten(self, error: JournalUnavailable) -> None:
        """It is not; what happened is told once that can be, and the message goes nowhere all the same."""
        passage = self._delays.ended(self, "refused")
        if passage is not None:
            assert self.against is not None
            passage.pipeline.journal.insist(_refusal(passage.message, self.against))
            passage.on_unrecorded()
            self._delays.settled()


class Delays:
    """Of one worker. ``settings`` is swapped by a reload; None where nothing can wait. ``under_way``: messages that
    went on over HTTP behind their client's answer, and have no outcome yet."""

    def __init__(self, pipeline: Pipeline, loop: asyncio.AbstractEventLoop) -> None:
        self.became = Counts(METRICS["tidegate_delayed_total"])
        self.settings: ReviewSettings | None = None
        self.bytes = 0
        self.under_way = 0
        self._pipeline = pipeline
        self._loop = loop
        self._waiting: dict[str, Delayed] = {}
        self._senders: Counter[tuple[str, str]] = Counter()
        self._queues: dict[str, deque[Delayed]] = {}  # by route
        self._timer: asyncio.TimerHandle | None = None
        self._idle: asyncio.Event | None = None  # somebody waits for the end

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def ids(self) -> Collection[str]:
        """Of those that wait; may be called from the journal's thread."""
        return tuple(self._waiting)

    def configure(self, settings: ReviewSettings | None, delays: Mapping[str, float]) -> None:
        """A reload. ``delays``: seconds by route."""
        self.settings = settings
        now = self._loop.time()
        for route, queue in self._queues.items():
            if not delays.get(route):
                for one in queue:
                    one.due = now
        self._arm()

    # on the way in

    def admitted(self, passage: Passage, verdict: Verdict) -> Verdict:
        """``verdict``, with a place kept for the message where it passes; or what it comes to where there is none."""
        if verdict.disposition != "pass":
            return verdict
        message = passage.message
        size = passage.size()
        bound = self._full(message, size)
        if not bound:
            self._waiting[message.id] = Delayed(self, passage, size)
            self._senders[message.route, message.sender] += 1
            self.bytes += size
            return verdict
        self.became.add((message.route, "full"))
        on_cap = self.settings.on_cap if self.settings is not None else "reject"
        finding = Finding("delay", FULL[bound], detail={"bound": bound})
        if on_cap == "reject":
            self._pipeline.give_back(passage, charge=False)  # a retry is no repeat
            return verdict._replace(
                disposition="reject", decided=(Decided(_CAP, finding, "reject"), *verdict.decided), texts=None
            )
        if on_cap == "label":
            verdict = verdict._replace(
                decided=(*verdict.decided, Decided(_CAP_LABEL, finding, "label")),
                labels=(*verdict.labels, finding.reason),
            )
        return verdict._replace(degraded=(UNDELAYED, *verdict.degraded))

    def wait(self, passage: Passage) -> bool:
        """Its judged record is written: from now on it waits. False where there was no place for it."""
        route = passage.route
        one = self._waiting.get(passage.message.id)
        if one is None:
            return False
        queue = self._queues.get(route.name)
        if queue is None:
            queue = self._queues[route.name] = deque()
        due = self._loop.time() + route.delay
        one.due = max(due, queue[-1].due) if queue else due
        queue.append(one)
        if self._timer is None or one.due < self._timer.when():
            self._arm()
        passage.on_delayed()
        if one.against is not None:
            self._stop(one)
        return True

    def forget(self, passage: Passage) -> None:
        """It is not judged after all, or goes on with nobody any more: it waits no longer, and no word is said."""
        one = self._waiting.get(passage.message.id)
        if one is not None:
            self.ended(one, "")
            self.settled()

    # meanwhile

    def unwanted(self, rows: Iterable[UnwantedRow]) -> None:
        """People have taken these messages down: those that have not left do not leave."""
        if self._waiting:
            for row in rows:
                self.refuse(row.id, _against("takedown", TAKEN_DOWN, row.ground))

    def refuse(self, message_id: str, against: Decided) -> bool:
        """Keep a message from going, for a reason that its sender is told. False where it does not wait (any more)."""
        one = self._waiting.get(message_id)
        if one is None or one.leaving or (one.against is not None and one.against.effect == "reject"):
            return False
        parking = one.against is not None
        one.against = against
        if one.due and not parking:
            self.refused(one)
        return True

    def switched(self) -> None:
        """The switches have changed: what an incident holds waits for a person from now on, a few of them a turn."""
        overlay = self._pipeline.overlay
        if self._waiting and overlay is not None and overlay.incidents is not None:
            self._hold_some(list(self._waiting.values()))

    def _hold_some(self, left: list[Delayed]) -> None:
        overlay = self._pipeline.overlay
        if overlay is None or overlay.incidents is None:  # it has ended meanwhile
            return
        now = time.time_ns() // 1000
        for one in left[:AT_ONCE]:
            if one.passage is None or one.leaving or one.against is not None:
                continue
            message = one.passage.message
            one.against = overlay.incidents.holding(message.route, message.room, now)
            if one.against is not None and one.due:
                self._stop(one)
        if len(left) > AT_ONCE:
            self._loop.call_soon(self._hold_some, left[AT_ONCE:])

    def arrived(self) -> None:
        """What had gone on over HTTP has its outcome."""
        self.under_way -= 1
        self.settled()

    # the end

    async def drain(self, seconds: float) -> None:
        """Wait until nothing waits and everything that went on has its outcome, for so many seconds at most."""
        self._idle = asyncio.Event()
        self.settled()
        try:
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        except TimeoutError:
            pass

    def end(self) -> None:
        """The worker ends: what waits still has failed."""
        if self._timer is not None:
            self._timer.cancel()
        for one in list(self._waiting.values()):
            passage = self.ended(one, "failed")
            if passage is not None and one.due:
                self._pipeline.failed(passage, STOPPING)
        self._queues.clear()

    def settled(self) -> None:
        """Something has ended; whoever waits for the end of everything is told."""
        if self._idle is not None and not self._waiting and not self.under_way:
            self._idle.set()

    def ended(self, one: Delayed, became: str) -> Passage | None:
        """It waits no more; whose it was, for ``settled`` to follow what that does. None where that was so before."""
        passage, one.passage = one.passage, None
        if passage is None:
            return None
        message = passage.message
        del self._waiting[message.id]
        sender = message.route, message.sender
        self._senders[sender] -= 1
        if not self._senders[sender]:
            del self._senders[sender]
        self.bytes -= one.size
        if became:
            self.became.add((message.route, became))
        return passage

    # inside

    def _full(self, message: Message, size: int) -> str:
        settings = self.settings
        if settings is None:
            return "all"
        if self._senders.get((message.route, message.sender), 0) >= settings.delayed_per_sender and message.sender:
            return "sender"
        full = len(self._waiting) >= settings.delayed or self.bytes + size > settings.delayed_bytes
        return "all" if full else ""

    def _arm(self) -> None:
        """Set the timer for the first that is due."""
        if self._timer is not None:
            self._timer.cancel()
        heads = [queue[0].due for queue in self._queues.values() if queue]
        self._timer = self._loop.call_at(min(heads), self._over) if heads else None

    def _over(self) -> None:
        """The delay of some is over."""
        self._timer = None
        now = self._loop.time() + SLACK
        left = AT_ONCE
        for queue in self._queues.values():
            while queue and queue[0].due <= now and left:
                one = queue.popleft()
                passage = one.passage
                if passage is None or one.against is not None:
                    continue
                left -= 1
                against = self._stands(passage)
                if against is not None:
                    one.against = against
                    self._stop(one)
                else:
                    one.leaving = True
                    self._pipeline.journal.enqueue(onward(passage.message.id), one)
        self._arm()

    def _stands(self, passage: Passage) -> Decided | None:
        """What people have done since it was judged, if any of it stands against the message: switches, urgent words,
        copies; a block of its sender, a closed room; or that an incident holds everything, which counts last."""
        pipeline = self._pipeline
        message = passage.message
        overlay = pipeline.overlay
        found = overlay.against(message, passage.scan, time.time_ns() // 1000) if overlay is not None else ()
        for decided in found:
            if decided.effect == "reject":
                return decided
        snapshot = pipeline.state.fallback.snapshot
        against: Decided | None = None
        if snapshot is not None:
            sender = "" if message.weak else message.sender
            against = blocked(passage.route, sender, message.room, message.ip, snapshot)
            against = against or closed(passage.route, message.room, snapshot)
        return against or next(iter(found), None)

    def _stop(self, one: Delayed) -> None:
        """Hold it, or refuse it, as what stands against it says."""
        passage, against = one.passage, one.against
        assert passage is not None
        assert against is not None
        if against.effect == "reject":
            self.refused(one)
            return
        before = passage.verdict
        verdict = before._replace(disposition="hold", decided=(against, *before.decided))
        self._pipeline.hold(passage, verdict, one)

    def refused(self, one: Delayed) -> None:
        """It goes nowhere: what stands against it is recorded, and told then."""
        assert one.passage is not None
        assert one.against is not None
        refusal = _refusal(one.passage.message, one.against)
        self._pipeline.journal.append(refusal, one.on_refused, one.on_refusal_unwritten)


def _against(check: str, reason: str, ground: str) -> Decided:
    return Decided(Rule(check, "reject", "reject", None, ground), Finding(check, reason), "reject")


def _refusal(message: Message, against: Decided) -> dict[str, object]:
    return outcome(message.id, "refused", reason=against.finding.reason)
