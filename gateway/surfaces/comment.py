"""Comments (跟帖评论): one message a request, in JSON, a form or plain text."""

from __future__ import annotations

from collections.abc import Callable

from gateway.surfaces.input.settings import SurfaceError, SurfaceSettings
from gateway.surfaces.surface import Surface
from gateway.surfaces.traits import Traits


def compiled(settings: SurfaceSettings, new_id: Callable[[], str], now_us: Callable[[], int]) -> Surface:
    """A comment belongs to an article, not to a moment of a video."""
    if settings.playback:
        raise SurfaceError("playback: a comment has none; use the surface “danmaku” for bullets")
    return Surface(settings, new_id, now_us)


TRAITS: Traits = Traits(compiled, services=("comments",), markup="html")
