"""``[credit]``: how a credit that was lowered comes back with time."""

from __future__ import annotations

from gateway.config.values.section import Section, setting


class Credit(Section):
    """Nothing comes back unless it is asked for: where the platform keeps credit itself, its word is the only one."""

    recovery: int = setting(
        0, "Points that a sender's credit regains a day; 0: it changes only when somebody changes it.", ge=0, le=100
    )
    recovers_to: int = setting(100, "Credit regains points below this; a higher one is left alone.", ge=1, le=100)
