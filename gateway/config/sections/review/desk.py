"""``[desk]``: how people decide on what waits for them."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints, model_validator

from gateway.config.sections.review.on_call import OnCall
from gateway.config.values.opening_hours import OpeningHours
from gateway.config.values.section import Section, setting
from gateway.config.values.units import Duration

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=256)]
Category = Annotated[str, StringConstraints(min_length=1, max_length=64)]
MOST_GROUNDS = 9


class Desk(Section):
    """When somebody is there, for how long they have a case, and on what a refusal rests."""

    open: tuple[str, ...] = setting(
        (), "When somebody is at the desk, as “mon-fri 08:00-22:00”: service time counts then alone. Empty: always."
    )
    zone: str = setting("+08:00", "Of those hours: an offset from UTC, or a name where this machine knows it.")
    claim: Duration = setting("10m", "How long somebody has a case that they claimed.", ge=10, le=86400)
    undo: Duration = setting("10s", "How long a decision can be taken back; it takes effect then.", ge=0, le=3600)
    service: Duration = setting("30m", "How much of the opening hours a case may wait before it is overdue.", ge=1)
    grounds: tuple[Text, ...] = setting(
        (), "Articles or clauses that refusals rest on, by digit: the first is 1.", max_length=MOST_GROUNDS
    )
    second: tuple[Category, ...] = setting((), "Categories of which no one person decides: a second has to agree.")
    on_call: OnCall | None = setting(
        None, "Whom to call for what cannot wait: grave categories held, appeals overdue, messages that cannot be held."
    )
    grave: tuple[Category, ...] = setting(
        (), "Categories whose texts the console hides until whoever reviews asks for them."
    )

    sample: float = setting(
        0.03,
        "Share of decided cases that somebody else decides once more without knowing what was decided, drawn by "
        "chance; nothing of the message changes by it. 0: none.",
        ge=0,
        le=0.2,
    )
    longest_incident: Duration = setting(
        "24h", "How long an incident stands at most before somebody has to extend it.", ge=60, le=30 * 86400
    )

    @model_validator(mode="after")
    def _hours(self) -> Desk:
        OpeningHours(self.open, self.zone)
        return self
