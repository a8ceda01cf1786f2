"""What may become of a held message: one table, pure.

    held ──► approved ──► releasing ──► delivered
      │         │  ▲          │ ▲ └──► undeliverable ──► ticketed ──► delivered | lapsed | void
      │         │  └ undone   └─┘ retried
      │         └──► ticketed (no other way to the platform)  └──► unknown ──► delivered | releasing | undeliverable
      └──► refused | expired | withdrawn | superseded | void

Laws: what is not in the table is refused and changes nothing; what ended is never moved again; the parked request is
destroyed in every state of ``GONE``, in the transaction that leads there.
"""

from __future__ import annotations

from typing import Final

HELD: Final = "held"
APPROVED: Final = "approved"
REFUSED: Final = "refused"
EXPIRED: Final = "expired"
WITHDRAWN: Final = "withdrawn"
SUPERSEDED: Final = "superseded"
VOID: Final = "void"
RELEASING: Final = "releasing"
DELIVERED: Final = "delivered"
UNDELIVERABLE: Final = "undeliverable"
UNKNOWN: Final = "unknown"
TICKETED: Final = "ticketed"
LAPSED: Final = "lapsed"

TRANSITIONS: Final[dict[tuple[str, str], str]] = {
    (HELD, "approve"): APPROVED,
    (HELD, "refuse"): REFUSED,
    (HELD, "expire"): EXPIRED,
    (HELD, "withdraw"): WITHDRAWN,
    (HELD, "supersede"): SUPERSEDED,
    (HELD, "void"): VOID,
    (APPROVED, "undo"): HELD,
    (APPROVED, "refuse"): REFUSED,  # a takedown within the undo window, or while a switch keeps it from going
    (APPROVED, "expire"): EXPIRED,  # what kept it from going did not end in time
    (APPROVED, "withdraw"): WITHDRAWN,
    (APPROVED, "supersede"): SUPERSEDED,
    (APPROVED, "void"): VOID,  # facts asked anew
    (APPROVED, "release"): RELEASING,
    (APPROVED, "ticket"): TICKETED,
    (RELEASING, "retry"): RELEASING,
    (RELEASING, "deliver"): DELIVERED,
    (RELEASING, "reject"): UNDELIVERABLE,
    (RELEASING, "lose"): UNKNOWN,
    (RELEASING, "void"): VOID,  # facts asked anew before a further try
    (UNDELIVERABLE, "ticket"): TICKETED,
    (UNDELIVERABLE, "void"): VOID,  # somebody wants it gone
    (UNKNOWN, "deliver"): DELIVERED,  # a person found it there
    (UNKNOWN, "release"): RELEASING,  # a person takes it upon themselves
    (UNKNOWN, "reject"): UNDELIVERABLE,  # a person did not find it there
    (TICKETED, "deliver"): DELIVERED,
    (TICKETED, "lapse"): LAPSED,
    (TICKETED, "void"): VOID,
}
"""State and event → the state that follows."""

STATES: Final = tuple(dict.fromkeys([state for state, _ in TRANSITIONS] + list(TRANSITIONS.values())))
EVENTS: Final = tuple(dict.fromkeys(event for _, event in TRANSITIONS))
OPEN: Final = frozenset(state for state, _ in TRANSITIONS)
"""States that something follows."""
ENDED: Final = frozenset(STATES) - OPEN
GONE: Final = ENDED | {TICKETED}
"""States in which the parked request is destroyed."""


def after(state: str, event: str) -> str | None:
    """The state that follows; None where the event does not go with the state."""
    return TRANSITIONS.get((state, event))
