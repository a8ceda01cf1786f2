"""Accounts and credit, as control knows them."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.control.access.roles import LEAD, SEE_SENDERS, Permission
from gateway.control.accounts import credit_entries, endpoints, imports
from gateway.control.accounts.credit_recovery import Recovery
from gateway.control.accounts.rows import Account, CreditEntry, Recovering
from gateway.control.accounts.schemas import AccountLine, Imported
from gateway.control.acts.governance import Table
from gateway.control.calls.endpoint import Endpoint
from gateway.control.calls.feature import Feature, Surroundings


def opened(surroundings: Surroundings) -> Sequence[object]:
    """Credit comes back with time."""
    ledger = surroundings.ledger
    settings = lambda: surroundings.current().config.credit  # noqa: E731
    return (Recovery(ledger.database, ledger, settings, surroundings.trusted_ns),)


READ, WRITE = Permission(SEE_SENDERS, "accounts:read"), Permission(LEAD, "accounts:write")
LINES = (AccountLine, Imported)

ACCOUNTS = Feature(
    endpoints=(
        Endpoint("POST", "/v1/accounts:import", imports.accounts, "Set many accounts", WRITE, stream=LINES),
        Endpoint("GET", "/v1/accounts/{sender}", endpoints.get, "Read an account", READ),
        Endpoint("PUT", "/v1/accounts/{sender}", endpoints.put, "Set an account", WRITE),
        Endpoint("DELETE", "/v1/accounts/{sender}", endpoints.delete, "Forget an account", WRITE),
    ),
    tables=(Table(Account, LEAD, place=("sender",)), Table(CreditEntry, LEAD, prune=credit_entries.prune)),
    rows=(Recovering,),
    opened=opened,
)
