"""Which limits are used up; each rule reads its own."""

from filters.checks import CHECKS, limit
from filters.model.limits import Limit
from filters.model.rule import Asks, Rule
from filters.model.verdict import Facts, Scan
from tests.filters.checks.finding import MESSAGE, found


def test_limits_say_which_of_them_is_used_up() -> None:
    options = limit.Options((Limit("sender", 5, 10_000_000), Limit("room", 500, 1_000_000)))
    assert found("limit", options, Facts(limits=(0, 0))) == []
    assert found("limit", options, Facts(limits=(0, 700))) == ["limit.room"]
    assert found("limit", options, Facts(limits=(5, 700))) == ["limit.sender", "limit.room"]


def test_each_rule_reads_its_own_limits() -> None:
    asks = Asks()
    first = CHECKS["limit"].bind(
        Rule("limit", "reject", "pass", limit.Options((Limit("sender", 1, 1),)), "g"), asks
    )  # fmt: skip
    second = CHECKS["limit"].bind(
        Rule("limit", "label", "pass", limit.Options((Limit("ip", 1, 1),)), "g", "shadow"), asks
    )  # fmt: skip
    facts = Facts(limits=(0, 2_500_000))
    assert first(MESSAGE, Scan(), facts) == ()
    (finding,) = second(MESSAGE, Scan(), facts)  # type: ignore[misc]
    assert (finding.reason, finding.retry_after) == ("limit.ip", 2.5)
    assert asks.shadow_limits == {1}
