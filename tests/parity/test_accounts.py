"""``admit.lua``, ``replies.account`` and the credit that scales a limit agree on an account, whether it says how many
messages were approved or not."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from filters.model.limits import Limit, pace_of
from filters.model.message import Message, Vouched
from filters.model.rule import Asks
from filters.model.verdict import Account
from gateway.state.cold.governance_projection import account_value
from tests.parity.conftest import EPOCH

SCALE = ((30, 0.25), (60, 0.5))
ACCOUNTS = st.builds(Account, st.booleans(), st.integers(0, 1 << 33), st.integers(0, 100), st.integers(0, 100))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(account=ACCOUNTS, asked=st.booleans(), level=st.integers(-1, 100))
@example(account=Account(True, 0, 29, 100), asked=True, level=-1)
@example(account=Account(True, 0, 100, 29), asked=True, level=-1)
@example(account=Account(True, 0, 100, 29), asked=True, level=20)
def test_an_account(scripted: Any, account: Account, asked: bool, level: int) -> None:
    """``level``: what a front vouches for; the limit goes by it, and approvals are the account's all the same."""
    scripted.clear()
    scripted.redis.set(scripted.keys.account(EPOCH, "alice"), account_value(*account))
    limit = Limit("sender", 8, 3_600_000_000, SCALE)
    asks = Asks(account=True, approved=asked)
    asks.limit(limit, "enforce")
    vouched = Vouched(True, 0, level) if level >= 0 else None
    message = Message("", "", "comments", "r", "alice", (), 0, vouched=vouched)
    credit = level if level >= 0 else account.credit
    pace = pace_of(limit, credit)
    _, told = scripted.admit(asks, [message] * (pace.burst // pace.interval + 1))
    assert [facts.limits[0] > 0 for facts in told] == [False] * (len(told) - 1) + [True]
    assert {facts.account for facts in told} == {account if asked or level < 0 else None}


def test_an_account_that_was_lost_is_no_account(scripted: Any) -> None:
    scripted.clear()
    _, (facts,) = scripted.admit(Asks(account=True, approved=True), [Message("", "", "comments", "r", "a", (), 0)])
    assert facts.account is None
