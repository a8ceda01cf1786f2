"""``[mirror]``: the static version of every bullet (law 6). The table may be empty, but danmaku routes need it."""

from __future__ import annotations

from typing import Literal

from gateway.config.values.secret import Secret
from gateway.config.values.section import Section, setting
from gateway.config.values.units import Duration, Local


class Mirror(Section):
    """Pages of each room's bullets, rendered by the projector."""

    dir: Local | None = setting(None, "Folder of the pages; “mirror” in server.data_dir if unset.")
    path: str = setting("/mirror/", "Where the gateway serves them.", pattern=r"^/[A-Za-z0-9._/-]+/$")
    max_lag: Duration = setting("10s", "A projector silent for longer stops new bullets (503).", gt=0)
    heartbeat: Duration = setting("500ms", "How often the projector says that it lives, and how far it came.", gt=0)
    page_size: int = setting(500, "Bullets on a page.", ge=10, le=10000)
    max_age: Duration = setting(
        "60s", "How long caches may keep a full page unasked; for the newest bullets they ask each time.", ge=0
    )
    language: Literal["zh", "en"] = setting("zh", "Language of the pages' own words.")
    probe_interval: Duration = setting("5m", "How often each danmaku route's page is probed for the list.", gt=0)
    probe_timeout: Duration = setting("5s", "A probed page must be answered within.", gt=0)
    access_cache: Duration = setting("30s", "How long the platform's word on who may read a room is remembered.", ge=0)
    purge: str = setting(
        "", "http(s) address told of each changed page, with {path}; for content networks.", pattern="^(https?://.+)?$"
    )
    purge_token: Secret = setting("", "Bearer token sent with a purge.")
