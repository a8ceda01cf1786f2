"""``[appeals]``: whoever is refused may have a person look at it. The table may be empty."""

from __future__ import annotations

from gateway.config.values.secret import Secret
from gateway.config.values.section import Section, setting


class Appeals(Section):
    """Codes by which people appeal."""

    key: Secret = setting(
        "",
        "What codes are keyed with; unset: it follows from the salt of digests. With another one the codes "
        "that were given out lead nowhere.",
    )
