"""What stands against messages while an incident does: where, until when, and what each measure comes to."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from filters.checks import newcomer
from filters.model.message import Message, Vouched
from filters.model.rule import Rule
from filters.model.verdict import Account, Decided, Facts, Finding, Scan, Verdict
from filters.policy import Policy, judge, unheld
from gateway.judging import incidents as module
from gateway.judging.incidents import Incidents
from gateway.state.model.snapshot import IncidentRow, SnapshotRows, encode
from tests.gateway.judging.test_hold import Held

NOW = 1_000_000_000
LATER = NOW + 60_000_000
MESSAGE = Message("m1", "comment", "comments", "r1", "alice", ("hello",), NOW)
POLICY = Policy("p", "digest", [])
FAR = 1 << 60


def row(number: int = 1, scope: str = "all", places: tuple[str, ...] = (), **measures: Any) -> IncidentRow:
    return IncidentRow(number, scope, places, **({"ends_at": LATER, "ground": "order 4"} | measures))


def test_it_stands_where_it_was_begun_and_until_its_end() -> None:
    stands = Incidents([row(1, "routes", ("comments",), hold=True), row(2, "rooms", ("r2",), freeze=True)])
    held = stands.holding("comments", "r1", NOW)
    assert held is not None
    assert (held.finding.reason, held.effect, held.rule.ground) == ("incident.held", "hold", "order 4")
    assert held.finding.detail == {"incident": 1}
    assert stands.holding("groups", "r1", NOW) is None
    assert stands.frozen("comments", "r1", NOW) is None
    frozen = stands.frozen("groups", "r2", NOW)
    assert frozen is not None
    assert (frozen.finding.reason, frozen.effect) == ("switch.frozen", "reject")
    assert [one.effect for one in stands.against("comments", "r2", NOW)] == ["reject", "hold"]
    assert stands.against("comments", "r2", LATER - 1)
    assert stands.against("comments", "r2", LATER) == []


def test_one_everywhere_leaves_nothing_out() -> None:
    stands = Incidents([row(hold=True)])
    assert stands.holding("whatever", "", NOW) is not None


def facts(gate: module.IncidentGate, *waits: int, **told: Any) -> Facts:
    return Facts(limits=waits, **told)


def test_a_pace_is_asked_beside_what_the_policy_asks() -> None:
    rule = Rule("newcomer", "hold", "pass", newcomer.Options(first=1))
    policy = Policy("p", "d", [rule])
    stands = Incidents([row(1, pace_ms=10_000), row(2, pace_ms=10_000), row(3, pace_ms=500)])
    gate = stands.gate(MESSAGE, policy, NOW)
    assert gate is not None
    assert stands.gate(MESSAGE, policy, NOW) is gate  # state's plan hangs on it
    assert [(one.scope, one.quota, one.period_us) for one in gate.asks.limits] == [
        ("sender", 1, 500_000), ("sender", 1, 10_000_000),
    ]  # fmt: skip
    assert gate.asks.approved is policy.asks.approved is True
    assert policy.asks.limits == []
    slow = gate.found(MESSAGE, facts(gate, 0, 4_000_000))
    assert [(one.finding.reason, one.finding.retry_after) for one in slow] == [("incident.slow", 4.0)] * 2
    assert gate.found(MESSAGE, facts(gate, 0, 0)) == ()
    (away,) = {one.finding.reason for one in gate.found(MESSAGE, Facts(missing={"limits": "state.deadline"}))}
    assert away == "incident.unavailable"
    assert stands.gate(MESSAGE, policy, LATER) is None


@pytest.mark.parametrize(
    ("message", "told", "reason"),
    [
        (MESSAGE, Facts(Account(True, credit=60)), ""),
        (MESSAGE, Facts(Account(True, credit=59)), "incident.members"),
        (MESSAGE, Facts(None), "incident.members"),
        (MESSAGE._replace(weak=True), Facts(Account(True, credit=100)), "incident.members"),
        (MESSAGE._replace(vouched=Vouched(True, 0, 80)), Facts(Account(True, credit=1)), ""),
        (MESSAGE._replace(vouched=Vouched(True, 0, 5)), Facts(Account(True, credit=99)), "incident.members"),
        (MESSAGE, Facts(missing={"account": "state.deadline"}), "incident.unavailable"),
        (MESSAGE, Facts(missing={"account": "state.deadline"}, verified=Account(True, credit=70)), ""),
    ],
)
def test_only_members_above_a_level(message: Message, told: Facts, reason: str) -> None:
    gate = Incidents([row(level=60)]).gate(message, POLICY, NOW)
    assert gate is not None
    assert gate.asks.account
    assert [one.finding.reason for one in gate.found(message, told)] == ([reason] if reason else [])


def held_by(found: list[Decided]) -> Verdict:
    held = Incidents([row(hold=True)]).holding("comments", "r1", NOW)
    assert held is not None
    return judge(POLICY, MESSAGE, Scan(), Facts(), (held, *found))


def test_what_would_pass_is_held_and_what_is_held_otherwise_is_not_held_for_this() -> None:
    verdict = held_by([])
    assert verdict.disposition == "hold"
    assert module.by_incident(verdict)
    other = Decided(Rule("review", "hold", "pass", None, "5.3"), Finding("review", "review.required"), "hold")
    assert not module.by_incident(held_by([other]))
    failed = other._replace(degraded=True)
    assert not module.by_incident(held_by([failed]))  # nobody has checked it: it is no message that would have passed
    ticket = Decided(Rule("ticket", "label", "pass", None), Finding("ticket", "ticket"), "pass")
    assert held_by([ticket]).disposition == "hold"  # an incident is asked anew, whoever approved the text


def test_what_cannot_wait_is_refused_whatever_it_is_worth_otherwise() -> None:
    came = unheld(POLICY, MESSAGE, held_by([]), "review.full", "all", "pass")
    assert (came.disposition, came.decided[0].finding.reason) == ("reject", "review.full")


async def begun(course: Held, tmp_path: Path, version: int = 1, **measures: Any) -> None:
    if version == 1:
        await course.build(tmp_path)
    rows = (row(4, **({"ends_at": FAR} | measures)),) if measures else ()
    course.app.on_snapshot(encode(SnapshotRows(version, incidents=rows)))


class Plain(Held):
    """A worker whose policy holds nothing by itself, and whose route can."""

    def __init__(self, release: str = "release = {{ ticket = true }}\n") -> None:
        super().__init__()
        self.configuration = self.configuration.replace('{{ check = "review"', '{{ check = "review", mode = "shadow"')
        self.configuration = self.configuration.replace("release = {{ ticket = true }}\n", release)


async def test_a_message_that_would_pass_waits_and_says_for_which_incident(tmp_path: Path) -> None:
    course = Plain()
    await begun(course, tmp_path, hold=True)
    await course.say()
    (parked,) = course.spool.done()
    course.journal.flush()
    assert course.answer()[0] == 202
    assert (parked.reason, parked.ground, parked.late) == ("incident.held", "order 4", False)
    assert parked.findings[0]["detail"] == {"incident": 4}
    await begun(course, tmp_path, 2)
    await course.say(1, text="another")
    assert course.spool.waiting == []
    assert course.app._pipeline.overlay is None


async def test_where_nothing_can_be_published_afterwards_it_is_refused(tmp_path: Path) -> None:
    course = Plain(release="")
    await begun(course, tmp_path, hold=True)
    await course.say(headers=b"Accept-Language: zh\r\n")
    course.journal.flush()
    status, fields, told = course.answer()
    assert (status, told["reason"], told["title"]) == (503, "incident.unheld", "此处暂时不能发布内容")
    assert "retry-after" in fields
    assert course.spool.waiting == []


async def test_a_pace_is_one_question_with_the_others(tmp_path: Path) -> None:
    course = Plain()
    await begun(course, tmp_path, pace_ms=30_000)
    course.state.last = b""
    body = b'{"content":"hello"}'
    course.clients[0].data_received(
        b"POST /api/articles/7/comments HTTP/1.1\r\nHost: a\r\nX-User-Id: alice\r\n"
        b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    )
    await asyncio.sleep(0)
    assert course.state.last.count(b"alice") >= 1
    assert course.link.waiting == 1
    waits = list(course.app._pipeline.overlay.incidents.gate(  # type: ignore[union-attr]
        MESSAGE, next(iter(course.app._sockets.routes.values())).policy, NOW
    ).asks.limits)  # type: ignore[union-attr]  # fmt: skip
    assert waits[-1].period_us == 30_000_000
    course.link.received(course.wire, course.facts())
    await asyncio.sleep(0)
    course.journal.flush()
    (busy,) = [connection for connection in course.pool.connections if connection.call is not None]
    assert busy
    assert course.records()[0]["verdict"] == "pass"


async def test_a_fault_of_ours_is_answered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    course = Plain()
    await begun(course, tmp_path, level=60)

    def broken(*_: object) -> None:
        raise RuntimeError("text of a message")

    monkeypatch.setattr(module, "_member", broken)
    await course.say()
    assert course.answer()[0] == 500
    course.journal.close()


async def test_a_frozen_place_refuses_until_the_end_of_the_incident(tmp_path: Path) -> None:
    course = Plain()
    await begun(course, tmp_path, freeze=True, hold=True)
    await course.say()
    course.journal.flush()
    assert course.answer()[2]["reason"] == "switch.frozen"
    await begun(course, tmp_path, 2, freeze=True, ends_at=1)  # nobody has told the worker that it is over
    await course.say(1, text="another")
    course.journal.flush()
    assert [one["verdict"] for one in course.records() if one["kind"] == "judged"] == ["reject", "pass"]
