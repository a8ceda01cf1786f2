"""Accounts: what the platform says of its senders."""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy.orm import Session

from filters.model.credit import CEILING
from gateway.control.accounts import credit_entries
from gateway.control.accounts.rows import Account
from gateway.control.accounts.schemas import AccountGiven, AccountOut, AccountPut, AccountRead, CreditEntryOut
from gateway.control.acts.acts import Unit
from gateway.control.acts.refusal import ControlError, missing
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


async def get(call: Call[None, Why]) -> AccountRead:
    """The act of reading is recorded whether or not the account exists: asking is telling too."""
    sender = call.path("sender")
    await call.reads(call.query.reason, "account.read", f"sender:{sender}")

    def work(session: Session) -> AccountRead | None:
        row = session.get(Account, sender)
        if row is None:
            return None
        entries = [CreditEntryOut(**one.as_row()) for one in credit_entries.of_sender(session, sender)]
        return AccountRead(**row.as_row(), entries=entries)

    told = await call.services.database.read(work)
    if told is None:
        raise missing("account")
    return told


async def put(call: Call[AccountPut, NoQuery]) -> Done[AccountOut]:
    sender, body = call.path("sender"), call.body

    def work(unit: Unit) -> Account:
        row = unit.get(Account, sender)
        lowered = (row.credit if row is not None else CEILING) - body.credit
        if body.message is not None:
            if lowered <= 0:
                raise ControlError(409, "control.not_lowered", "This does not lower the credit: name no message.")
            credit_entries.charged(unit, sender, lowered, body.message, time.time_ns() // 1000)
        return write(unit, row, sender, body)

    outcome = await call.act(body.reason, "account.put", f"sender:{sender}", work)
    return done(outcome, AccountOut(**outcome.result.as_row()))


async def delete(call: Call[None, Why]) -> Done[Gone]:
    sender = call.path("sender")

    def work(unit: Unit) -> None:
        row = unit.get(Account, sender)
        if row is None:
            raise missing("account")
        unit.remove(row)

    return done(await call.act(call.query.reason, "account.delete", f"sender:{sender}", work), Gone())
