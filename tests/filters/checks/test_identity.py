"""Who is verified, who is not, and whose verification is over."""

import pytest

from filters.checks import identity
from filters.model.message import Vouched
from filters.model.verdict import Account, Facts
from tests.filters.checks.finding import MESSAGE, found


@pytest.mark.parametrize(
    ("account", "reasons"),
    [
        (None, ["identity.unknown"]),
        (Account(False), ["identity.unverified"]),
        (Account(True, verified_until=9), ["identity.expired"]),
        (Account(True, verified_until=10), ["identity.expired"]),
        (Account(True, verified_until=11), []),
        (Account(True), []),
    ],
)
def test_accounts(account: Account | None, reasons: list[str]) -> None:
    assert found("identity", identity.Options(), Facts(account=account)) == reasons


def test_a_front_that_vouches_needs_no_account() -> None:
    facts = Facts(missing={"account": "state.unavailable"})
    assert found("identity", identity.Options(), facts, message=MESSAGE._replace(vouched=Vouched(True))) == []
    unsure = MESSAGE._replace(vouched=Vouched(False))
    assert found("identity", identity.Options(), facts, message=unsure) == ["identity.unverified"]
