"""The queue of what waits, with a clock of the test's own: order, bounds, and that each ends once, whatever happens."""

from __future__ import annotations

from collections import defaultdict
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.model.message import Message
from filters.model.rule import Rule
from filters.model.verdict import Decided, Finding, Scan, Verdict
from gateway.judging import delays as module
from gateway.judging import overlay
from gateway.judging.delays import Delays
from gateway.parking.settings import ReviewSettings
from gateway.state.model.snapshot import BlockRow, IncidentRow, RoomRow, Snapshot, SnapshotRows, UnwantedRow
from tests.gateway.carriers.conftest import FakeJournal, Timers

DELAYS = {"five": 5.0, "two": 2.0, "none": 0.0}
RULES = (Rule("block", "reject", "reject", None, "6.1"), Rule("room", "reject", "reject", None, "6.4"))
NO = Decided(Rule("switch", "reject", "reject", None, "g"), Finding("switch", "switch.frozen"), "reject")


class Told:
    """A passage that writes down what it is told."""

    acts = ()
    scan = Scan()

    def __init__(self, bench: Bench, number: int, route: str, sender: str, size: int) -> None:
        self.bench = bench
        self.pipeline = bench
        self.message = Message(f"m{number}", "group", route, "r", sender, ("text",), 0)
        delay = bench.delays_by_route[route]
        self.route = cast(Any, SimpleNamespace(name=route, delay=delay, policy=SimpleNamespace(rules=RULES)))
        self.verdict = Verdict("pass", "digest")
        self.began = 0.0
        self._size = size

    def size(self) -> int:
        return self._size

    def on_delayed(self) -> None:
        self.bench.told[self.message.id].append("delayed")

    def on_verdict(self) -> None:
        self.bench.told[self.message.id].append(self.verdict.disposition)
        if self.verdict.disposition == "pass":
            self.bench.went[self.message.route].append((self.message.id, self.bench.timers.now))

    def on_unrecorded(self) -> None:
        self.bench.told[self.message.id].append("unrecorded")


class Bench:
    """A pipeline as far as delays need one."""

    def __init__(self, **bounds: Any) -> None:
        self.timers = Timers()
        self.journal = FakeJournal()
        self.overlay: Any = None
        self.state: Any = SimpleNamespace(fallback=SimpleNamespace(snapshot=None))
        self.told: dict[str, list[str]] = defaultdict(list)
        self.went: dict[str, list[tuple[str, float]]] = defaultdict(list)
        self.lost: list[tuple[str, str]] = []
        self.returned: list[str] = []
        self.parking = Parked()
        self.began: dict[str, float] = {}
        self.delays_by_route = dict(DELAYS)
        self.delays = Delays(cast(Any, self), cast(Any, self.timers))
        self.settings = ReviewSettings(bytes(32), **({"on_cap": "reject"} | bounds))
        self.delays.configure(self.settings, self.delays_by_route)
        self._numbers = 0

    # of a pipeline

    def failed(self, passage: Any, reason: str) -> None:
        self.lost.append((passage.message.id, reason))

    def give_back(self, passage: Any, *, charge: bool = True) -> None:
        self.returned.append(passage.message.id)

    def unused(self, passage: Any) -> None:
        pass

    def hold(self, passage: Any, verdict: Verdict, late: Any) -> None:
        self.parking.hold(passage, verdict, late)

    # what happens

    def say(self, route: str = "five", sender: str = "alice", size: int = 10) -> Verdict:
        """A message that passed; with a place it waits from now on."""
        self._numbers += 1
        passage = Told(self, self._numbers, route, sender, size)
        verdict = self.delays.admitted(cast(Any, passage), passage.verdict)
        passage.verdict = verdict
        if verdict.disposition == "pass":
            self.began[passage.message.id] = self.timers.now
            if not self.delays.wait(cast(Any, passage)):
                passage.on_verdict()
        return verdict

    def passes(self, seconds: float) -> None:
        self.timers.pass_(seconds)
        self.journal.write()

    def reload(self, **delays: float) -> None:
        self.delays_by_route |= delays
        self.delays.configure(self.settings, self.delays_by_route)

    @property
    def kinds(self) -> list[tuple[str, str, str]]:
        return [(one["kind"], one["id"], one.get("state", "")) for one in self.journal.records]


EVENTS = st.one_of(
    st.tuples(st.just("say"), st.sampled_from(["five", "two"]), st.sampled_from(["alice", "bob"])),
    st.tuples(st.just("pass"), st.sampled_from([0.0, 0.5, 1.9, 2.0, 4.0, 6.0]), st.none()),
    st.tuples(st.just("take down"), st.integers(1, 12), st.none()),
    st.tuples(st.just("reload"), st.sampled_from(["five", "two"]), st.sampled_from([0.0, 1.0, 5.0])),
    st.tuples(st.just("journal"), st.booleans(), st.none()),
)


@settings(max_examples=300, deadline=None)
@given(events=st.lists(EVENTS, max_size=40))
def test_in_order_each_once_and_never_early(events: list[tuple[str, Any, Any]]) -> None:
    bench = Bench(delayed=8, delayed_per_sender=6)
    taken: set[str] = set()
    for what, one, other in events:
        if what == "say":
            bench.say(one, other)
        elif what == "pass":
            bench.passes(one)
        elif what == "take down":
            if bench.delays.refuse(f"m{one}", NO):
                taken.add(f"m{one}")
        elif what == "reload":
            bench.reload(**{one: other})
        else:
            bench.journal.broken = one
        assert bench.timers.running <= 1
        assert bench.delays.waiting <= 8
    bench.journal.broken = False
    bench.passes(20.0)
    assert (bench.delays.waiting, bench.delays.bytes, bench.timers.running) == (0, 0, 0)
    for message_id, told in bench.told.items():
        assert len(told) - told.count("delayed") == 1, (message_id, told)
    for went in bench.went.values():
        numbers = [int(message_id[1:]) for message_id, _ in went]
        assert numbers == sorted(numbers)
    assert not taken & {message_id for went in bench.went.values() for message_id, _ in went}
    recorded = [one["id"] for one in bench.journal.records if one["kind"] == "onward"]
    waited = {one for one, told in bench.told.items() if "delayed" in told and "pass" in told}
    assert waited <= set(recorded), "nothing goes on that is not recorded"


def test_it_waits_as_long_as_its_route_says() -> None:
    bench = Bench()
    bench.say("five")
    bench.say("two")
    bench.passes(1.9)
    assert bench.went == {}
    bench.passes(0.2)
    bench.passes(2.8)
    assert (bench.went["two"], bench.went["five"]) == ([("m2", 1002.1)], [])
    bench.passes(0.2)
    assert [one for one, _ in bench.went["five"]] == ["m1"]
    assert bench.kinds == [("onward", "m2", ""), ("onward", "m1", "")]


def test_a_shorter_delay_lets_nobody_overtake_and_none_lets_all_go() -> None:
    bench = Bench()
    bench.say("five")
    bench.reload(five=1.0)
    bench.say("five")
    bench.passes(1.5)
    assert bench.went == {}
    bench.passes(3.6)
    assert [one for one, _ in bench.went["five"]] == ["m1", "m2"]
    bench.reload(five=5.0)
    bench.say("five")
    bench.say("five")
    bench.reload(five=0.0)
    bench.passes(0.0)
    assert [one for one, _ in bench.went["five"]] == ["m1", "m2", "m3", "m4"]


def test_one_more_than_may_wait() -> None:
    bench = Bench(delayed_per_sender=2, delayed=3, delayed_bytes=1 << 20)
    assert [bench.say().disposition for _ in range(3)] == ["pass", "pass", "reject"]
    assert bench.returned == ["m3"]
    assert bench.say(sender="bob").disposition == "pass"
    full = bench.say(sender="carol")
    assert (full.leading and full.leading.finding.reason, full.disposition) == ("delay.full", "reject")
    bench.passes(6.0)
    assert bench.say().disposition == "pass"
    assert bench.say(sender="bob", size=2 << 20).disposition == "reject"


def test_nobodys_messages_are_not_those_of_one_sender() -> None:
    bench = Bench(delayed_per_sender=1)
    assert [bench.say(sender="").disposition for _ in range(3)] == ["pass"] * 3


def test_what_one_more_is_worth() -> None:
    bench = Bench(delayed=1, on_cap="pass")
    bench.say()
    verdict = bench.say()
    assert (verdict.disposition, verdict.degraded, bench.told["m2"]) == ("pass", ("delay:full",), ["pass"])
    bench = Bench(delayed=1, on_cap="label")
    bench.say()
    assert (bench.say().labels, bench.told["m2"]) == (("delay.full",), ["pass"])


def test_a_takedown_wins_until_it_has_left() -> None:
    bench = Bench()
    bench.say()
    bench.say()
    bench.delays.unwanted([UnwantedRow("m1", "order 7"), UnwantedRow("m9", "")])
    bench.delays.unwanted([UnwantedRow("m1", "order 7")])  # the next snapshot says so too
    bench.journal.write()
    assert bench.told["m1"] == ["delayed", "reject"]
    assert bench.kinds == [("outcome", "m1", "refused")]
    assert bench.journal.records[0]["reason"] == "delay.refused"
    bench.timers.pass_(5.1)  # m2 is on its way into the journal
    assert not bench.delays.refuse("m2", NO)
    bench.journal.write()
    assert bench.told["m2"] == ["delayed", "pass"]
    assert not bench.delays.refuse("m2", NO)


def test_a_takedown_may_come_before_the_record_is_written() -> None:
    bench = Bench()
    passage = Told(bench, 7, "five", "alice", 10)
    bench.delays.admitted(cast(Any, passage), passage.verdict)
    assert bench.delays.refuse("m7", NO)
    assert bench.delays.wait(cast(Any, passage))
    bench.journal.write()
    bench.passes(6.0)
    assert bench.told["m7"] == ["delayed", "reject"]


def test_what_people_switch_on_meanwhile_counts() -> None:
    bench = Bench()
    bench.say()

    class Frozen:
        def against(self, message: Message, scan: Scan, now_us: int) -> tuple[Decided, ...]:
            return (NO,)

    bench.overlay = Frozen()
    bench.passes(5.1)
    assert bench.told["m1"] == ["delayed", "reject"]
    assert [one.get("reason") for one in bench.journal.records] == ["switch.frozen"]


class Parked:
    """A ``Holding`` that keeps what is to be parked until it is told what became of that."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Any, Verdict, Any]] = []

    def hold(self, passage: Any, verdict: Verdict, late: Any) -> None:
        passage.parked = "digest"
        self.waiting.append((passage, verdict, late))

    def done(self) -> None:
        waiting, self.waiting = self.waiting, []
        for _, verdict, late in waiting:
            late.conclude(verdict)


def held(bench: Bench, route: str = "five", ends_at: int = 1 << 60) -> None:
    """An incident begins on a route; or its end has come."""
    rows = SnapshotRows(1, incidents=(IncidentRow(4, "routes", (route,), ends_at, hold=True, ground="order 4"),))
    bench.overlay = overlay.build(rows, cast(Any, None), cast(Any, None))
    bench.delays.switched()


def test_an_incident_holds_what_waits_at_its_beginning() -> None:
    bench = Bench()
    for _ in range(3):
        bench.say()
    bench.say("two")
    held(bench)
    assert len(bench.parking.waiting) == 3
    bench.parking.done()
    assert bench.told["m1"] == ["delayed"]  # recorded first
    bench.journal.write()
    assert [bench.told[f"m{number}"] for number in range(1, 5)] == [["delayed", "hold"]] * 3 + [["delayed"]]
    assert [(one["id"], one["state"], one["digest"]) for one in bench.journal.records] == [
        (f"m{number}", "held", "digest") for number in range(1, 4)
    ]  # fmt: skip
    bench.passes(10.0)
    assert bench.told["m1"] == ["delayed", "hold"]
    assert bench.told["m4"] == ["delayed", "pass"]
    assert bench.delays.waiting == 0
    assert bench.delays.bytes == 0


def test_what_is_judged_before_and_recorded_after_its_beginning_is_held_too() -> None:
    bench = Bench()
    passage = Told(bench, 7, "five", "alice", 10)
    bench.delays.admitted(cast(Any, passage), passage.verdict)
    held(bench)
    assert bench.parking.waiting == []
    assert bench.delays.wait(cast(Any, passage))
    bench.parking.done()
    bench.journal.write()
    assert bench.told["m7"] == ["delayed", "hold"]


def test_one_that_is_over_holds_nothing() -> None:
    bench = Bench()
    bench.say()
    held(bench, ends_at=1)
    bench.passes(5.1)
    assert bench.told["m1"] == ["delayed", "pass"]


def test_a_takedown_wins_while_it_is_parked() -> None:
    bench = Bench()
    bench.say()
    held(bench)
    assert bench.delays.refuse("m1", NO)
    bench.parking.done()
    bench.journal.write()
    assert bench.told["m1"] == ["delayed", "reject"]
    assert [one["state"] for one in bench.journal.records] == ["refused"]  # and control drops what is parked


def test_what_cannot_be_parked_is_refused_and_not_let_go() -> None:
    bench = Bench()
    bench.say()
    held(bench)
    ((_, verdict, late),) = bench.parking.waiting
    late.cannot_wait(verdict, "review.full", "all", "pass")
    bench.journal.write()
    assert bench.told["m1"] == ["delayed", "reject"]
    assert [one["reason"] for one in bench.journal.records] == ["review.full"]


def test_a_crowd_is_held_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AT_ONCE", 2)
    bench = Bench()
    later: list[Any] = []
    bench.timers.call_soon = lambda then, *given: later.append((then, given))  # type: ignore[attr-defined]
    for number in range(5):
        bench.say(sender=f"s{number}")
    held(bench)
    assert len(bench.parking.waiting) == 2
    while later:
        then, given = later.pop()
        then(*given)
    assert len(bench.parking.waiting) == 5


def test_a_held_outcome_that_cannot_be_written_promises_nothing() -> None:
    bench = Bench()
    bench.say()
    held(bench)
    bench.journal.broken = True
    bench.parking.done()
    bench.journal.write()
    assert bench.told["m1"] == ["delayed", "unrecorded"]
    assert bench.lost == [("m1", "journal.unavailable")]


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (SnapshotRows(1, blocks=(BlockRow("sender", "alice", "spam"),)), "block.sender"),
        (SnapshotRows(1, blocks=(BlockRow("sender", "bob", "spam"),)), ""),
        (SnapshotRows(1, rooms=(RoomRow("r", "closed"),)), "room.closed"),
        (SnapshotRows(1, rooms=(RoomRow("r", "slow", 5000),)), ""),
    ],
)
def test_whoever_is_blocked_and_wherever_is_closed_meanwhile(rows: SnapshotRows, reason: str) -> None:
    bench = Bench()
    bench.say()
    bench.state.fallback.snapshot = Snapshot(rows)
    bench.passes(5.1)
    assert bench.told["m1"] == ["delayed", "reject" if reason else "pass"]
    assert bench.journal.records[0].get("reason", "") == reason


def test_a_journal_that_cannot_write_lets_nothing_go() -> None:
    bench = Bench()
    bench.say()
    bench.journal.broken = True
    bench.passes(5.1)
    assert (bench.told["m1"], bench.lost, bench.went) == (
        ["delayed", "unrecorded"],
        [("m1", "journal.unavailable")],
        {},
    )
    bench.say()
    bench.delays.refuse("m2", NO)
    bench.journal.write()
    bench.journal.broken = False
    bench.journal.write()
    bench.passes(6.0)
    assert (bench.told["m2"], bench.went) == (["delayed", "unrecorded"], {})
    assert bench.kinds == [("outcome", "m2", "refused")], "it is insisted on"


def test_so_many_go_on_in_one_turn(monkeypatch: Any) -> None:
    monkeypatch.setattr(module, "AT_ONCE", 2)
    bench = Bench(delayed_per_sender=100)
    for _ in range(5):
        bench.say()
    bench.timers.now += 5.0
    turns = 0
    while bench.timers.running:
        bench.timers.pass_(0.0)
        turns += 1
    bench.journal.write()
    assert len(bench.went["five"]) == 5


async def test_the_end_waits_for_what_waits_and_what_is_on_its_way() -> None:
    bench = Bench()
    bench.say()
    await bench.delays.drain(0.01)
    assert bench.delays.waiting == 1
    bench.delays.end()
    assert (bench.lost, bench.delays.waiting) == ([("m1", "worker.stopping")], 0)
    bench.delays.under_way = 1
    await bench.delays.drain(0.01)
    assert bench.delays._idle is not None
    assert not bench.delays._idle.is_set()
    bench.delays.under_way = 0
    bench.delays.settled()
    assert bench.delays._idle.is_set()
    await Bench().delays.drain(10.0)
