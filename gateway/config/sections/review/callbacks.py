"""``[[callbacks]]``: what the platform is told of decisions, releases, tickets and appeals."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, StringConstraints

from gateway.config.sections.review.hook import Hook, HookSecret
from gateway.config.values.section import required, setting
from gateway.config.values.units import Duration

ON_CALL: Final = "on-call"
"""The name under which calls of ``[desk.on_call]`` are kept: no receiver may have it."""

CallbackEvent = Literal[
    "message.held", "message.approved", "message.refused", "message.expired", "message.withdrawn",
    "message.superseded", "message.void", "message.delivered", "message.undeliverable", "message.unknown",
    "message.ticketed", "message.lapsed",
    "ticket.spent", "ticket.lapsed", "ticket.void",
    "appeal.explained", "appeal.filed", "appeal.insisted", "appeal.overdue", "appeal.upheld", "appeal.partly",
    "appeal.rejected", "appeal.withdrawn",
]  # fmt: skip


def _free(value: str) -> str:
    if value == ON_CALL:
        raise ValueError("is the name of what [desk.on_call] hears: write another one")
    return value


ReceiverName = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"), AfterValidator(_free)
]  # fmt: skip


class CallbackReceiver(Hook):
    """One receiver. What it is told is written with the decision and sent by control, until it answers 2xx."""

    name: ReceiverName = required("What it is called in lists, logs and metrics.")
    secret: HookSecret = required("Its calls are signed with: at least 16 characters, as “env:NAME” or “file:/path”.")
    events: tuple[CallbackEvent, ...] = setting((), "Which events it hears of; empty: all.")
    routes: tuple[str, ...] = setting((), "Of which routes; empty: of all.")
    sender: bool = setting(
        False,
        "Whether it is told who sent a message, by the id that the platform itself gave: for receivers that are the "
        "platform's own, and need it.",
    )
    retry_for: Duration = setting(
        "72h", "How long a call is tried again; then it is dead, until somebody sends it again.", ge=0, le=30 * 86400
    )
    waiting: int = setting(
        100_000,
        "Calls to it that may wait; beyond: what happened stays in the record, and is told once there is room.",
        ge=100,
        le=10_000_000,
    )
