"""What became of a message and who had a part in it, from record, case and acts."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.control.acts.acts import Intent, perform
from gateway.control.appeals.standings import weighed
from gateway.control.cases import cases, claims, decisions
from gateway.control.cases.cases import Cause
from gateway.control.features import GOVERNANCE
from gateway.control.holding.rows import Held
from gateway.control.lists.rows import Word
from gateway.control.takedowns.rows import Takedown
from tests.gateway.control.appeals.conftest import FINDING, PLAIN, Hand, S

HELD = PLAIN._replace(verdict="hold", findings=({**FINDING, "effect": "hold"},))


def act(hand: Hand, person: str, kind: str, subject: str, **row: Any) -> None:
    work = lambda unit: unit.add(Word(**row)) if row else None  # noqa: E731
    perform(hand.session, Intent(f"{kind}-{person}", person, "r", kind, subject), work, GOVERNANCE)


def decided(hand: Hand, outcome: str) -> None:
    case = cases.open_case(
        hand.session, "m1", Cause.HOLD, now=hand.now, route="comments", room="r1", sender="u1",
        due_at=hand.now + S, expires_at=hand.now + 60 * S,
    )  # fmt: skip
    claims.claim(hand.session, case, hand.who("ann"), now=hand.now, until=hand.now + 60 * S)
    decisions.escalate(hand.session, case, hand.who("ann"), "", now=hand.now)
    claims.claim(hand.session, case, hand.who("lead1"), now=hand.now, until=hand.now + 60 * S)
    decisions.read(hand.session, case, "lead1")
    ground = "article 5" if outcome == "refused" else ""
    decisions.decide(hand.session, case, hand.who("lead1"), outcome, ground=ground, now=hand.now, undo_us=0)
    decisions.finish(hand.session, case, now=hand.now)


@pytest.mark.parametrize(
    ("changed", "standing"),
    [
        ({}, "refused"),
        ({"verdict": "pass", "findings": ()}, "published"),
        ({"verdict": "pass", "findings": ({**FINDING, "effect": "mask"},)}, "masked"),
        ({"verdict": "hold"}, "waiting"),
    ],
)
def test_a_verdict_says_how_it_stands(hand: Hand, changed: dict[str, Any], standing: str) -> None:
    assert weighed(hand.session, PLAIN._replace(**changed)).standing == standing


def test_what_a_person_refused_is_no_outage_though_it_was_held_for_one(hand: Hand) -> None:
    decided(hand, "refused")
    told = weighed(hand.session, HELD._replace(findings=({**HELD.findings[0], "degraded": True},)))
    assert (told.reason, told.degraded) == ("review.refused", False)


def test_a_refused_hold_is_a_person_s_and_both_had_a_part(hand: Hand) -> None:
    decided(hand, "refused")
    told = weighed(hand.session, HELD)
    assert (told.standing, told.check, told.ground) == ("refused", "review", "article 5")
    assert (told.reason, told.degraded) == ("review.refused", False)
    assert told.parties == ("ann", "lead1")  # escalated, decided


def test_an_approved_hold_is_published(hand: Hand) -> None:
    decided(hand, "approved")
    assert weighed(hand.session, HELD).standing == "published"


def test_an_expired_hold(hand: Hand) -> None:
    cases.open_case(
        hand.session, "m1", Cause.HOLD, now=hand.now, route="comments", room="r1", sender="u1",
        due_at=hand.now + S, expires_at=hand.now + S,
    )  # fmt: skip
    assert weighed(hand.session, HELD).standing == "waiting"
    assert cases.expire(hand.session, "m1", now=hand.now + S)
    assert weighed(hand.session, HELD).standing == "expired"


def test_whoever_blocked_has_a_part(hand: Hand) -> None:
    act(hand, "ann", "block.create", "sender:u1")
    act(hand, "bob", "block.create", "sender:u2")
    finding = {"check": "block", "reason": "block.sender", "effect": "reject", "ground": "g"}
    assert weighed(hand.session, PLAIN._replace(findings=(finding,))).parties == ("ann",)


def test_whoever_froze_the_place_has_a_part(hand: Hand) -> None:
    act(hand, "ann", "switch.freeze", "room:r1")
    detail = {"room": "r1"}
    finding = {"check": "switch", "reason": "switch.frozen", "effect": "reject", "ground": "g", "detail": detail}
    assert weighed(hand.session, PLAIN._replace(findings=(finding,))).parties == ("ann",)


def test_whoever_wrote_the_word_that_alone_decided_has_a_part(hand: Hand) -> None:
    act(hand, "ann", "word.add", "list:spam", list="spam", line="BUY | severity 9", effect="added")
    act(hand, "bob", "word.add", "list:spam", list="spam", line="sell", effect="added")
    assert weighed(hand.session, PLAIN).parties == ("ann",)
    second = {**FINDING, "spans": [[4, 6]]}
    assert weighed(hand.session, PLAIN._replace(findings=(FINDING, second))).parties == ()  # two words decided


def test_what_was_taken_down_while_its_delay_ran_is_a_person_s(hand: Hand) -> None:
    stopped = PLAIN._replace(verdict="pass", findings=(), stopped="delay.refused")

    def work(unit: Any) -> None:
        unit.add(
            Takedown(
                message_id="m1", upstream_id="", route="comments", room="r1", reason="order 7", ground="rule 3",
                act_uid=unit.uid, created_at=hand.now,
            )
        )  # fmt: skip

    perform(hand.session, Intent("uid", "ann", "order 7", "takedown.create", "message:m1"), work, GOVERNANCE)
    told = weighed(hand.session, stopped)
    assert (told.standing, told.check, told.reason, told.ground) == ("refused", "review", "delay.refused", "rule 3")
    assert told.parties == ("ann",)
    frozen = weighed(hand.session, stopped._replace(id="m2", stopped="switch.frozen"))
    assert (frozen.standing, frozen.reason, frozen.ground, frozen.parties) == ("refused", "switch.frozen", "", ())


def held_row(hand: Hand, state: str, **more: Any) -> None:
    hand.session.add(
        Held(
            message_id="m1", route="comments", surface="comment", room="r1", sender="u1", weak=False, edit=False,
            reason="r", fingerprint="", at=1, expires_at=0, state=state, changed_at=1, size=0, **more,
        )
    )  # fmt: skip


def taken_down(hand: Hand, message_id: str, **more: Any) -> None:
    act(hand, "bob", "takedown.create", f"message:{message_id}")
    hand.session.add(
        Takedown(
            message_id=message_id, upstream_id="", route="comments", room="r1", reason="r", ground="provisions 10",
            act_uid="takedown.create-bob", created_at=hand.now, **more,
        )
    )  # fmt: skip
    hand.session.flush()


def test_what_was_taken_down_is_removed_by_whoever_did_it(hand: Hand) -> None:
    passed = PLAIN._replace(verdict="pass", findings=())
    taken_down(hand, "m1")
    told = weighed(hand.session, passed)
    assert (told.standing, told.check, told.reason, told.ground) == (
        "removed", "takedown", "message.taken_down", "provisions 10",
    )  # fmt: skip
    assert (told.parties, told.decided_at) == (("bob",), hand.now)
    assert told.file_until(S) == hand.now + S  # from then on, and not from when it came


def test_so_is_a_held_one_whose_release_was(hand: Hand) -> None:
    decided(hand, "approved")
    held_row(hand, "delivered", release="r-1")
    assert weighed(hand.session, HELD).standing == "published"
    taken_down(hand, "r-1")
    assert weighed(hand.session, HELD).standing == "removed"


def test_what_comes_back_is_published_and_what_came_to_nothing_is_not(hand: Hand) -> None:
    passed = PLAIN._replace(verdict="pass", findings=())
    taken_down(hand, "m0", restoration="m1")
    held_row(hand, "releasing")
    assert weighed(hand.session, passed._replace(id="m0")).standing == "published"
    hand.session.get_one(Held, "m1").state = "void"
    assert weighed(hand.session, passed._replace(id="m0")).standing == "removed"


@pytest.mark.parametrize("state", ["void", "expired", "lapsed"])
def test_approved_and_yet_not_published_it_is_expired(hand: Hand, state: str) -> None:
    decided(hand, "approved")
    held_row(hand, state)
    told = weighed(hand.session, HELD)
    assert (told.standing, told.decided_at) == ("expired", hand.now)
