"""``[console]``: where the moderation team works all day, on the control address under ``/console/``."""

from __future__ import annotations

from gateway.config.values.section import Section, setting
from gateway.config.values.units import Duration


class Console(Section):
    """Who logs in, for how long, and what becomes of guesses."""

    enabled: bool = setting(True, "Whether the console is there; without it control answers the API alone.")
    idle: Duration = setting("30m", "A session ends after so long without its owner's doing.", ge=60, le=86400)
    longest: Duration = setting("12h", "A session ends after so long, whatever its owner does.", ge=300, le=604_800)
    attempts: int = setting(
        5,
        "Wrong passwords of one name from one address; beyond: each doubles the wait, from a second on.",
        ge=1,
        le=100,
    )
    wait_at_most: Duration = setting("15m", "Longest that such a wait becomes.", ge=1, le=86400)
    behind_tls: bool = setting(
        False,
        "A proxy before control speaks TLS to browsers: cookies are for TLS alone then, as with control.certificate.",
    )
