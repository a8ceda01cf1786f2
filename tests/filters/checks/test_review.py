"""Every message is found, whoever sends it and whatever state says."""

from __future__ import annotations

from filters.checks import review
from filters.model.message import Message
from filters.model.rule import Asks, Rule
from filters.model.verdict import Facts, Finding, Scan
from filters.policy import Policy, judge

RULE = Rule("review", "hold", "reject", review.Options(), ground="comment provisions 5(3)")
MESSAGE = Message("id", "comment", "news", "1", "alice", ("hello",), 5)


def test_every_message_is_found() -> None:
    asks = Asks()
    find = review.bind(RULE, asks)
    assert not asks.anything
    for message in (MESSAGE, MESSAGE._replace(weak=True), MESSAGE._replace(edit=True), MESSAGE._replace(texts=())):
        assert find(message, Scan(), Facts(missing={"account": "state.deadline"})) == (
            Finding("review", "review.required"),
        )


def test_it_holds_again_and_again() -> None:
    """What is remembered of quiet senders must not let the second one through."""
    policy = Policy("p", "d", [RULE])
    facts = Facts()
    policy.remember(facts)
    for _ in range(2):
        verdict = judge(policy, MESSAGE, Scan(), facts)
        assert verdict.disposition == "hold"
        assert verdict.leading is not None
        assert verdict.leading.finding.reason == "review.required"
