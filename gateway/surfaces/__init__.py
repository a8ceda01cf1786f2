"""Surfaces: what users send, as bytes and as messages. Every surface, in one table that a reader can see."""

from __future__ import annotations

from collections.abc import Callable

from gateway.surfaces import comment, danmaku, group
from gateway.surfaces.input.settings import SurfaceError, SurfaceSettings
from gateway.surfaces.surface import Surface

SURFACES: dict[str, Callable[[SurfaceSettings, Callable[[], str], Callable[[], int]], Surface]] = {
    "comment": comment.compiled,
    "danmaku": danmaku.compiled,
    "group": group.compiled,
}


def compiled(settings: SurfaceSettings, new_id: Callable[[], str], now_us: Callable[[], int]) -> Surface:
    """The surface of one route; ``SurfaceError`` names the setting that makes no sense, and the remedy."""
    if settings.surface not in SURFACES:
        raise SurfaceError(f"surface = {settings.surface!r} is unknown: write one of {', '.join(SURFACES)}")
    return SURFACES[settings.surface](settings, new_id, now_us)
