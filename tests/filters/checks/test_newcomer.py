"""How many messages of somebody were approved, and whose."""

import pytest

from filters.checks import newcomer
from filters.model.message import Vouched
from filters.model.rule import Asks, Rule
from filters.model.verdict import Account, Facts, Scan
from filters.policy import Policy, judge
from tests.filters.checks.finding import MESSAGE, found

OPTIONS = newcomer.Options(3)


@pytest.mark.parametrize("approved", range(5))
def test_the_first_ones(approved: int) -> None:
    facts = Facts(account=Account(True, approved=approved))
    assert found("newcomer", OPTIONS, facts) == (["newcomer.first"] if approved < 3 else [])


def test_who_is_not_known_is_new() -> None:
    assert found("newcomer", OPTIONS, Facts()) == ["newcomer.first"]
    assert found("newcomer", OPTIONS, Facts(missing={"account": "state.epoch"})) == "state.epoch"


def test_a_level_that_a_front_vouches_for_says_nothing_of_it() -> None:
    vouched = MESSAGE._replace(vouched=Vouched(True, level=100))
    assert found("newcomer", OPTIONS, Facts(account=Account(True)), message=vouched) == ["newcomer.first"]
    assert found("newcomer", OPTIONS, Facts(account=Account(True, approved=3)), message=vouched) == []
    asks = Asks()
    newcomer.bind(Rule("newcomer", "hold", "reject", OPTIONS), asks)
    assert (asks.account, asks.approved) == (True, True)


def test_the_account_of_that_name_is_not_of_who_has_not_logged_in() -> None:
    policy = Policy("p", "d", [Rule("newcomer", "hold", "reject", OPTIONS)])
    facts = Facts(account=Account(True, approved=100))
    assert judge(policy, MESSAGE, Scan(), facts).disposition == "pass"
    assert judge(policy, MESSAGE._replace(weak=True), Scan(), facts).disposition == "hold"
