"""Words that several people write together: told from what the room's window found, in shadow unless it is said."""

from __future__ import annotations

from filters.checks.crowd import Options
from filters.model.message import Message
from filters.model.rule import Rule
from filters.model.verdict import Facts, Hit, Scan
from filters.policy import Policy, judge
from gateway.config.sections.policies import RULES

HIT = Hit("spam", "d", 1, "fraud", 5, 0, ((0, 1),), 4)
MESSAGE = Message("m", "danmaku", "live", "room", "sender", ("票",), 0)


def policy(mode: str = "shadow", severity: int = 1) -> Policy:
    return Policy(
        "live",
        "d",
        [Rule("crowd", "reject", "pass", Options(("spam",), severity), "agreement 3", mode)],  # type: ignore[arg-type]
    )


def test_it_asks_for_its_lists() -> None:
    asks = policy().asks
    assert (asks.lists, asks.crowd) == (["spam"], ["spam"])


def test_in_shadow_it_is_recorded_and_changes_nothing() -> None:
    verdict = judge(policy(), MESSAGE, Scan(crowd={"spam": (HIT,)}), Facts())
    assert (verdict.disposition, verdict.decided) == ("pass", ())
    (told,) = verdict.shadow
    assert (told.finding.reason, told.finding.detail) == ("keyword.crowd", {"messages": 4})


def test_enforced_it_refuses_who_completes_the_word() -> None:
    assert judge(policy("enforce"), MESSAGE, Scan(crowd={"spam": (HIT,)}), Facts()).disposition == "reject"
    assert judge(policy("enforce", 6), MESSAGE, Scan(crowd={"spam": (HIT,)}), Facts()).disposition == "pass"
    assert judge(policy("enforce"), MESSAGE, Scan(hits={"spam": (HIT,)}), Facts()).disposition == "pass"


def test_a_list_that_could_not_be_read_is_a_failure() -> None:
    verdict = judge(policy("enforce"), MESSAGE, Scan(failed={"spam": "fold.bound"}), Facts())
    assert verdict.degraded == ("crowd:fold.bound",)


def test_configuration_puts_it_in_shadow() -> None:
    given = {"check": "crowd", "lists": ["spam"], "action": "reject", "on_error": "pass", "ground": "agreement 3"}
    assert RULES["crowd"].model_validate(given).mode == "shadow"
    assert RULES["crowd"].model_validate({**given, "mode": "enforce"}).mode == "enforce"
    assert RULES["keywords"].model_validate({**given, "check": "keywords"}).mode == "enforce"
