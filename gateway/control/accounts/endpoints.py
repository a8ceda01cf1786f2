"""Accounts: what the platform says of its senders."""

from __future__ import annotations

from typing import Any

from gateway.control.accounts.rows import Account
from gateway.control.accounts.schemas import AccountGiven, AccountOut, AccountPut
from gateway.control.acts.acts import Unit
from gateway.control.acts.refusal import missing
from gateway.control.calls.call import Call, done
from gateway.control.calls.schemas import Done, Gone, NoQuery, Why


def write(unit: Unit, row: Account | None, sender: str, given: AccountGiven) -> Account:
    """Set one account; ``row`` is what stands there now."""
    values: dict[str, Any] = {
        "verified": given.verified,
        "verified_until": given.verified_until,
        "credit": given.credit,
    }
    if given.approved is not None:
        values["approved"] = given.approved
    return unit.add(Account(sender=sender, **values)) if row is None else unit.change(row, **values)


async def get(call: Call[None, Why]) -> AccountOut:
    """The act of reading is recorded whether or not the account exists: asking is telling too."""
    sender = call.path("sender")
    await call.reads(call.query.reason, "account.read", f"sender:{sender}")
    row = await call.services.database.read(lambda session: session.get(Account, sender))
    if row is None:
        raise missing("account")
    return AccountOut(**row.as_row())


async def put(call: Call[AccountPut, NoQuery]) -> Done[AccountOut]:
    sender, body = call.path("sender"), call.body
    outcome = await call.act(
        body.reason,
        "account.put",
        f"sender:{sender}",
        lambda unit: write(unit, unit.get(Account, sender), sender, body),
    )
    return done(outcome, AccountOut(**outcome.result.as_row()))


async def delete(call: Call[None, Why]) -> Done[Gone]:
    sender = call.path("sender")

    def work(unit: Unit) -> None:
        row = unit.get(Account, sender)
        if row is None:
            raise missing("account")
        unit.remove(row)

    return done(await call.act(call.query.reason, "account.delete", f"sender:{sender}", work), Gone())
