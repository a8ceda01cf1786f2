"""``[appeals]``: whoever is refused may have a person look at it. The table may be empty."""

from __future__ import annotations

from gateway.config.values.secret import Secret
from gateway.config.values.section import Section, setting
from gateway.config.values.units import Duration, RateOf


class AppealTerms(Section):
    """Codes by which people appeal, where they do, and until when."""

    key: Secret = setting(
        "",
        "What codes are keyed with; unset: it follows from the salt of digests. With another one the codes "
        "that were given out lead nowhere.",
    )
    path: str = setting(
        "/appeals", "Where the gateway takes appeals, as a page and as JSON.", pattern=r"^(/[A-Za-z0-9._-]+)+$"
    )
    file_within: Duration = setting("60d", "A decision can be appealed for so long.", ge=3600)
    answer_within: Duration = setting(
        "15d", "An appeal is to be answered within; later it is overdue, which alarms and rejects nothing.", ge=60
    )
    undo: Duration = setting("10s", "A decision on an appeal can be taken back for so long.", ge=0, le=86400)
    same_person: bool = setting(
        False,
        "Whether somebody may decide who had a part in what is appealed, for desks of one person; appellants are told.",
    )
    per_address: RateOf = setting("30/1m", "Calls of one client address; beyond: 429.")
    per_code: RateOf = setting("20/1m", "Calls for one code, whoever makes them; beyond: 429.")
