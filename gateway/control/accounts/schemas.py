"""What is said of accounts over the API."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from filters.model.credit import MOST_APPROVED
from gateway.control.calls.schemas import Given, Ident, Reason, Seconds


class AccountGiven(Given):
    verified: bool
    verified_until: Seconds = Field(0, description="Seconds since the epoch; 0: no end.")
    credit: int = Field(100, ge=0, le=100)
    approved: int | None = Field(
        None, ge=0, le=MOST_APPROVED,
        description="Messages that a person approved, of those who were here before any were counted; null: as it is.",
    )  # fmt: skip


class AccountPut(AccountGiven):
    reason: Reason
    message: Ident | None = Field(
        None,
        description="Our id of the message because of which the credit is lowered: an appeal that is upheld gives the "
        "points back.",
    )


class AccountLine(AccountGiven):
    """One line of an import."""

    sender: Ident


class CreditEntryOut(BaseModel):
    """``points``: below 0 what a message cost; above, what was given back of the entry ``reverses``."""

    id: int
    at: int = Field(description="Microseconds since the epoch.")
    points: int
    message_id: str
    act_uid: str
    reverses: int | None


class AccountOut(BaseModel):
    sender: str
    verified: bool
    verified_until: int
    credit: int
    approved: int


class AccountRead(AccountOut):
    """With the newest entries of its credit ledger."""

    entries: list[CreditEntryOut]


class Imported(BaseModel):
    """The last line of an import's answer; the lines before it are ``{"lines": N, "accepted": N, "refused": N}``."""

    done: bool
    lines: int
    accepted: int
    refused: int
    errors: list[dict[str, Any]] = Field(description="The first refused lines: number and problem, never the content.")
    stopped: str = Field("", description="Why the import ended before its body did; empty where it did not.")
    in_force: bool = Field(True, description="False where some of it is still on its way to journal or state.")
