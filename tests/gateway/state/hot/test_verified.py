"""Whom state called verified a short while ago: nobody longer than said, and no more of them than said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from filters.model.message import Message
from filters.model.rule import Asks
from filters.model.verdict import Account
from gateway.control.acts.neighbours import Change
from gateway.state.cold.governance_projection import GovernanceProjection
from gateway.state.hot.verified import Verified

ROW = {"verified": True, "verified_until": 0, "credit": 100}
YES = Account(True, 0, 50)
NO = Account(False)


def test_somebody_is_kept_for_a_while_and_no_longer() -> None:
    kept = Verified(10.0, 100)
    kept.turn(1000.0)
    kept.note("alice", YES)
    kept.turn(1004.9)
    assert kept.of("alice") == YES
    kept.turn(1010.0)
    kept.turn(1010.1)
    assert kept.of("alice") is None
    assert kept.of("bob") is None


def test_what_state_says_last_counts() -> None:
    kept = Verified(10.0, 100)
    kept.turn(1000.0)
    for last in (NO, None):
        kept.note("alice", YES)
        kept.turn(1005.0)  # in the older half
        kept.note("alice", YES)
        kept.note("alice", last)
        assert kept.of("alice") is None


def test_nobody_is_kept_where_the_time_is_nothing() -> None:
    kept = Verified(0.0, 100)
    kept.turn(5.0)
    kept.note("alice", YES)
    kept.turn(5.0)
    kept.turn(5.0)
    assert kept.of("alice") is None


@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from([YES, NO, None]), st.floats(0, 3)), max_size=60))
def test_never_too_old_and_never_too_many(events: list[tuple[str, Account | None, float]]) -> None:
    kept = Verified(4.0, 6)
    now = 100.0
    said: dict[str, tuple[Account | None, float]] = {}
    for sender, account, pause in events:
        now += pause
        kept.turn(now)
        for name, (last, at) in said.items():
            if kept.of(name) is not None:
                assert kept.of(name) == last
                assert now - at <= 4.0
        kept.note(sender, account)
        said[sender] = (account, now)
        assert sum(kept.of(name) is not None for name in "abcdefgh") <= 6


async def test_whom_state_no_longer_knows_is_kept_no_longer(
    server: Any, projection: GovernanceProjection, connect: Any, message: Callable[..., Message]
) -> None:
    """Whatever half they stand in: of one who is known unchanged nothing is noted anew, of all others it is."""
    asker = await connect(server)
    kept = asker.client.fallback.verified
    for old in (False, True):
        await projection.apply([Change("accounts", {"sender": "alice"}, ROW)])
        for _ in range(3):
            assert (await asker.one(Asks(account=True), message("alice"))).account.verified
            assert kept.of("alice").verified
        if old:
            kept._older, kept.younger = kept.younger, {}
            assert kept.of("alice").verified
        await projection.apply([Change("accounts", {"sender": "alice"}, {**ROW, "verified": False} if old else None)])
        facts = await asker.one(Asks(account=True), message("alice"))
        assert facts.account is None or not facts.account.verified
        assert kept.of("alice") is None
