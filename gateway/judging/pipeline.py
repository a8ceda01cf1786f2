"""One message's life, from decoded to recorded: the middle of the gate, shared by every carrier.

    enter      wait for the other messages of this loop turn
      ▼
    read       read the text (filters), gather what people have switched on     no I/O
      ▼
    admit      ask state, in one batch with all messages of this loop turn      Passage.on_facts
      ▼
    judge      weigh                                                            pure
      ▼
    hold       where a person is to decide: parked first, on disk       ``judging/hold.py``
      ▼
    append     the judged record; all records of a batch in one write           Passage.on_written
      ▼
    delay      on a route with a delay: what passes waits               ``judging/delays.py``
      ▼
    carrier    relays, masks or refuses: nothing leaves before the line above   Carrier.on_verdict
      ▼
    outcome    delivered, held, failed or unknown, as a second record

Two calls come from below, once for all messages of a turn: the state client calls ``Pipeline._read`` before it sends
(``StateClient.on_turn``, set here), and the journal's ``Writer.flush`` once the facts of one answer are handed out
(``on_batch``, set in ``worker/app.py``), so that their records leave in one write.

Laws: a carrier hears of every passage exactly once, by ``on_verdict``, ``on_unrecorded`` or ``on_fault``;
``on_verdict`` only after its record is in the operating system (law 5); what cannot be recorded is neither relayed nor
answered as judged.

There is no future, task or timer per message: a passage is an object whose bound methods are the callbacks.

The messages of a turn are read together, and not each behind the system call that fetched it: folding and matching find
their code and tables still in the processor's caches. (Vector packet processing; FD.io's VPP does it for that reason.)
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Final, Protocol

from filters.model.verdict import Decided, Facts, OnError, Scan, Verdict
from filters.policy import judge, unheld
from filters.reading.window import ROOMS, Recent
from gateway.journal.write.record import delivered, outcome
from gateway.judging.delays import Delays
from gateway.judging.incidents import UNHELD, by_incident
from gateway.judging.overlay import STALE

if TYPE_CHECKING:
    import asyncio

    from filters.model.message import Message
    from gateway.common.metrics import WorkerMetrics
    from gateway.journal.write.writer import Writer
    from gateway.judging.hold import Concluding, Holding
    from gateway.judging.incidents import IncidentGate, Incidents
    from gateway.judging.overlay import Overlay
    from gateway.judging.route import Route
    from gateway.parking.parked import Original
    from gateway.state.hot.state_client import StateClient

FAULT: Final = "gateway.failure"
"""The reason of a failure: what the verdict left could not be written again, which is a fault of ours."""

NO_REVIEW: Final = "review.unavailable"
"""The reason of a refusal: the message was to wait for a person, and could not be parked."""

NO_FACTS: Final = Facts()
NO_SCAN: Final = Scan()


class Passage(ABC):
    """One message on its way through the gate. Who brings a message makes it a class of its own, and says in
    ``on_verdict``, ``on_unrecorded`` and ``on_fault`` what becomes of it; ``Carried`` is the one for whoever has
    several at once. ``parked``: of a held one, the digest of what was parked, SHA-256 in hex.
    """

    __slots__ = ("acts", "began", "message", "parked", "pipeline", "route", "scan", "verdict")

    scan: Scan
    acts: tuple[Decided, ...]
    verdict: Verdict
    parked: str

    def __init__(self, pipeline: Pipeline, route: Route, message: Message, began: float) -> None:
        """``began``: ``perf_counter`` seconds when the message's decoding began."""
        self.pipeline = pipeline
        self.route = route
        self.message = message
        self.began = began

    @abstractmethod
    def on_verdict(self) -> None:
        """The verdict is recorded: act on it."""

    @abstractmethod
    def on_unrecorded(self) -> None:
        """The journal could not write: nothing may leave, the sender is told to come back."""

    @abstractmethod
    def on_fault(self, fault: Exception) -> None:
        """Reading or judging it failed, a fault of ours: there is no record, and nothing may leave."""

    def original(self) -> Original | None:
        """What to park where the message is held; None where it cannot wait by itself."""
        return None

    def on_delayed(self) -> None:  # noqa: B027 - not everybody tells
        """It passed, and waits for its route's delay: its sender may be told. ``on_verdict`` follows."""

    def size(self) -> int:
        """Bytes that it takes, roughly, while it waits."""
        return sum(map(len, self.message.texts))

    def enter(self) -> None:
        """Wait for the other messages of this turn: they are read together."""
        self.pipeline.gather(self)

    def read(self) -> None:
        """Read the text, and ask state for the facts."""
        route = self.route
        if route.fresh is not None and not route.fresh():
            self.refuse(STALE)
            return
        message = self.message
        pipeline = self.pipeline
        scan = self.scan = route.scanner.scan(message.texts)
        overlay = pipeline.overlay
        self.acts = acts = overlay.acts(message, scan) if overlay is not None else ()
        if acts and acts[-1].effect == "pass":  # a ticket comes last
            pipeline.state.take_ticket(acts[-1].finding.detail["ticket"], message.id, self.on_ticket)
            return
        if overlay is not None and overlay.incidents is not None and self._gated(overlay.incidents):
            return
        policy = route.policy
        if policy.asks_state:
            pipeline.state.admit(message, policy.asks, scan, self.on_facts)
        else:
            self.on_facts(NO_FACTS)

    def _gated(self, incidents: Incidents) -> bool:
        """Ask state for the facts and, with one question, for what incidents want to know; False where they want
        nothing here."""
        message = self.message
        gate = incidents.gate(message, self.route.policy, message.received_at)
        if gate is None:
            return False
        self.pipeline.state.admit(message, gate.asks, self.scan, partial(self.on_gate, gate))
        return True

    def on_gate(self, gate: IncidentGate, facts: Facts) -> None:
        """State has answered: what incidents make of it stands among what people have switched on."""
        try:
            self.acts = (*gate.found(self.message, facts), *self.acts)  # a ticket comes last
        except Exception as fault:  # nothing was recorded, and somebody waits
            self._fault(fault)
            return
        self.on_facts(facts)

    def on_ticket(self, mine: bool) -> None:
        """Whether this message has the ticket with which it came, or another worker was faster; then it is judged as
        one that came without."""
        pipeline = self.pipeline
        if not mine:
            self.acts = self.acts[:-1]
            if pipeline.overlay is not None and pipeline.overlay.tickets is not None:
                pipeline.overlay.tickets.unused(self.message.id)
        overlay = pipeline.overlay
        if overlay is not None and overlay.incidents is not None and self._gated(overlay.incidents):
            return
        policy = self.route.policy
        if policy.asks_state:
            pipeline.state.admit(self.message, policy.asks, self.scan, self.on_facts)
        else:
            self.on_facts(NO_FACTS)

    def refuse(self, decided: Decided) -> None:
        """Record the message as refused by ``decided``, whatever it says: its text is not read, state is not asked."""
        self.scan = NO_SCAN
        self.acts = (decided,)
        self._record(Verdict("reject", self.route.policy.digest, self.acts))

    def on_facts(self, facts: Facts) -> None:
        """State has answered, or has been given up."""
        route = self.route
        try:
            if route.consecutive is not None or route.crowd is not None:
                self._read_on(route)
            verdict = judge(route.policy, self.message, self.scan, facts, self.acts)
            if verdict.disposition == "hold":
                self.pipeline.hold(self, verdict)
            elif route.delay:
                self._record(self.pipeline.delays.admitted(self, verdict))
            else:
                self._record(verdict)
        except Exception as fault:  # nothing was recorded, and somebody waits
            self._fault(fault)

    def conclude(self, verdict: Verdict) -> None:
        """Whether the message can wait is known: this is the verdict on it."""
        try:
            if self.route.delay:
                verdict = self.pipeline.delays.admitted(self, verdict)
            self._record(verdict)
        except Exception as fault:
            self._fault(fault)

    def _fault(self, fault: Exception) -> None:
        self.pipeline.give_back(self)
        if self.route.delay:
            self.pipeline.delays.forget(self)
        self.on_fault(fault)

    def cannot_wait(self, verdict: Verdict, reason: str, cause: str, costs: OnError | None = None) -> None:
        """It was to be held, and cannot be: see ``unheld``. A retry is no repeat."""
        verdict = unheld(self.route.policy, self.message, verdict, reason, cause, costs)
        if verdict.disposition == "reject":
            self.pipeline.give_back(self, charge=False)
        self.conclude(verdict)

    def _record(self, verdict: Verdict) -> None:
        pipeline = self.pipeline
        message = self.message
        self.verdict = verdict
        pipeline.observe(perf_counter() - self.began)
        pipeline.journal.enqueue(
            self.route.basis.fields(message, verdict), self, message.id if verdict.disposition == "pass" else ""
        )

    def _read_on(self, route: Route) -> None:
        """Read the message with those that its sender, and that everybody, had shown in this place before it."""
        message = self.message
        pipeline = self.pipeline
        scan = self.scan
        if route.consecutive is not None:
            before = pipeline.recent.before((message.route, message.room, message.sender))
            scan = route.consecutive.read(before, message.texts, scan, message.received_at)
        if route.crowd is not None:
            before = pipeline.rooms.before((message.route, message.room))
            told = route.crowd.read(before, message.texts, NO_SCAN, message.received_at)
            if told.hits or told.failed:
                scan = scan._replace(crowd=told.hits, failed={**scan.failed, **told.failed})
        self.scan = scan

    def on_written(self) -> None:
        """The judged record is in the operating system, or on disk where ``fsync`` says so."""
        verdict = self.verdict
        route = self.route
        pipeline = self.pipeline
        if (route.consecutive is not None or route.crowd is not None) and verdict.disposition == "pass":
            self._remember(route, verdict.texts or self.message.texts)
        if verdict is route.policy.passed:
            route.passed.value += 1
        else:
            pipeline.count_verdict(route, verdict)
            if self.acts and verdict.disposition != "pass":
                pipeline.unused(self)
            if verdict.disposition == "hold":
                pipeline.held(self)
        if route.delay and verdict.disposition == "pass" and pipeline.delays.wait(self):
            return
        self.on_verdict()

    def _remember(self, route: Route, texts: tuple[str, ...]) -> None:
        """The message will be shown, as ``texts``."""
        message = self.message
        pipeline = self.pipeline
        at = message.received_at
        if route.consecutive is not None:
            pipeline.recent.add((message.route, message.room, message.sender), texts, at, route.consecutive.reach)
        if route.crowd is not None:
            pipeline.rooms.add((message.route, message.room), texts, at, route.crowd.reach)

    def on_unwritten(self, error: Exception) -> None:
        """The judged record could not be written."""
        if self.scan is not NO_SCAN:  # else nothing was charged that could be given back
            self.pipeline.give_back(self)
        if self.route.delay:
            self.pipeline.delays.forget(self)
        self.on_unrecorded()


class Carrier(Protocol):
    """Who brings several messages at once and waits for all of them: a frame of a socket."""

    def on_verdict(self, passage: Passage) -> None:
        """The verdict of one is recorded."""

    def original(self, passage: Passage) -> Original | None:
        """See ``Passage``, of one."""

    def on_delayed(self, passage: Passage) -> None:
        """One passed, and waits: see ``Passage``."""

    def size(self, passage: Passage) -> int:
        """See ``Passage``, of one."""

    def on_unrecorded(self, passage: Passage) -> None:
        """One could not be recorded."""

    def on_fault(self, passage: Passage, fault: Exception) -> None:
        """One could not be read, or not be judged."""


class Carried(Passage):
    """A passage that tells its carrier."""

    __slots__ = ("carrier",)

    def __init__(self, pipeline: Pipeline, route: Route, message: Message, carrier: Carrier, began: float) -> None:
        super().__init__(pipeline, route, message, began)
        self.carrier = carrier

    def original(self) -> Original | None:
        return self.carrier.original(self)

    def on_delayed(self) -> None:
        self.carrier.on_delayed(self)

    def size(self) -> int:
        return self.carrier.size(self)

    def on_verdict(self) -> None:
        self.carrier.on_verdict(self)

    def on_unrecorded(self) -> None:
        self.carrier.on_unrecorded(self)

    def on_fault(self, fault: Exception) -> None:
        self.carrier.on_fault(self, fault)


def _nobody(_seconds: float) -> None:
    """Nobody asks how long a turn was."""


class Pipeline:
    """What every passage of a worker shares. ``overlay`` is swapped as one reference; None while nothing is on.

    ``recent`` and ``rooms``: what people, and what everybody in a room, said last on routes with lists that read
    several messages as one. This worker's own: who writes through two in turn is read by each of them alone.
    ``holding``: where messages wait for a person; None where nothing can. ``delays``: where they wait for their time.
    ``read_for``: told, once a turn, how long ago its first message had come.
    """

    def __init__(
        self, state: StateClient, journal: Writer, metrics: WorkerMetrics, loop: asyncio.AbstractEventLoop
    ) -> None:
        self.state = state
        self.journal = journal
        self.delays = Delays(self, loop)
        self.overlay: Overlay | None = None
        self.holding: Holding | None = None
        self.recent = Recent()
        self.rooms = Recent(ROOMS)
        self.observe = metrics.check_seconds.observe
        self.read_for: Callable[[float], None] = _nobody
        self._entered: list[Passage] = []
        state.on_turn = self._read
        self._count: Callable[[tuple[str, ...]], None] = metrics.messages.add
        self._degraded = metrics.degraded

    def gather(self, passage: Passage) -> None:
        """Read ``passage`` with all that enter in this turn of the loop."""
        entered = self._entered
        if not entered:
            self.state.expect()
        entered.append(passage)

    def _read(self) -> None:
        entered, self._entered = self._entered, []
        if entered:
            self.read_for(perf_counter() - entered[0].began)
        for passage in entered:
            try:
                passage.read()
            except Exception as fault:  # one message's fault must not take the others of its turn
                passage.on_fault(fault)

    def count_verdict(self, route: Route, verdict: Verdict) -> None:
        """Count a verdict that is more than a plain pass, and what was degraded on the way."""
        leading = verdict.leading
        effect = leading.effect if leading is not None else "pass"
        self._count((route.name, effect, leading.finding.reason if leading is not None else ""))
        for cause in verdict.degraded:
            self._degraded.add((cause,))

    def hold(self, passage: Passage, verdict: Verdict, late: Concluding | None = None) -> None:
        """Park a message for a person; its record follows. ``late``: see ``Holding``."""
        holding = self.holding
        if by_incident(verdict) and (holding is None or passage.route.settings.release is None):
            (late or passage).cannot_wait(verdict, UNHELD, "closed", "reject")  # nothing would publish it afterwards
        elif holding is None:  # a reload has taken [review] away meanwhile
            passage.cannot_wait(verdict, NO_REVIEW, "closed")
        else:
            holding.hold(passage, verdict, late)

    def address(self, message_id: str) -> str:
        """Where the sender of a held message asks what became of it; empty where nobody answers any more."""
        return self.holding.address(message_id) if self.holding is not None else ""

    def held(self, passage: Passage) -> None:
        """It is parked, and its verdict recorded."""
        self.journal.insist(outcome(passage.message.id, "held", digest=passage.parked))

    def delivered(self, passage: Passage, status: int, upstream_id: str) -> None:
        """The upstream took the message; its answer's status and its own id of the message, if it told one."""
        message_id = passage.message.id
        self.journal.settle(message_id, delivered(message_id, status, upstream_id, passage.route.name))

    def refused(self, passage: Passage, status: int) -> None:
        """The upstream answered and did not take the message: a retry is not refused as a repeat. The sender's limit
        is not given back for a refusal (4xx): who is refused again and again would never meet it."""
        self.journal.insist(outcome(passage.message.id, "refused", status=status, reason="upstream.status"))
        self.give_back(passage, charge=status >= 500)

    def failed(self, passage: Passage, reason: str) -> None:
        """The upstream was not reached, or broke down before it could have taken the message."""
        self.journal.insist(outcome(passage.message.id, "failed", reason=reason))
        self.give_back(passage)

    def withheld(self, passage: Passage, reason: str) -> None:
        """It passed, and does not go on because of another one: a retry is no repeat, and what it took of limits stays
        taken, because it was judged."""
        self.journal.insist(outcome(passage.message.id, "failed", reason=reason))
        self.give_back(passage, charge=False)

    def unknown(self, passage: Passage, reason: str) -> None:
        """The message went out and nobody can say whether it arrived; nothing is given back."""
        self.journal.insist(outcome(passage.message.id, "unknown", reason=reason))

    def give_back(self, passage: Passage, *, charge: bool = True) -> None:
        """Return the repeat mark to somebody whose message did not go on, and what it took of the sender's limits
        (``charge``)."""
        if passage.acts:
            self.unused(passage)
        asks = passage.route.policy.asks
        overlay = self.overlay
        if overlay is not None and overlay.incidents is not None:
            message = passage.message
            gate = overlay.incidents.gate(message, passage.route.policy, message.received_at)
            asks = gate.asks if gate is not None else asks
        if (charge and asks.limits) or asks.repeats:
            self.state.give_back(passage.message, asks, passage.scan, charge=charge)

    def unused(self, passage: Passage) -> None:
        """A message did not go on: the ticket with which it came may be used again."""
        overlay = self.overlay
        if overlay is not None and overlay.tickets is not None:
            for ticket in overlay.tickets.unused(passage.message.id):
                self.state.return_ticket(ticket)
