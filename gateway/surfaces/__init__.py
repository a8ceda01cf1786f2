"""Surfaces: what users send, as bytes and as messages. Every surface, in one table that a reader can see.

The configuration's words, its schema and its reference come from the table; a surface is a file here and a row.
"""

from __future__ import annotations

from collections.abc import Callable

from gateway.surfaces import comment, danmaku, group, profile
from gateway.surfaces.input.settings import SurfaceError, SurfaceSettings
from gateway.surfaces.surface import Surface
from gateway.surfaces.traits import Traits

SURFACES: dict[str, Traits] = {
    "comment": comment.TRAITS,
    "danmaku": danmaku.TRAITS,
    "group": group.TRAITS,
    "profile": profile.TRAITS,
}

MIRRORED = frozenset(name for name, traits in SURFACES.items() if traits.mirrored)
"""Surfaces whose messages have a static version, as records name them."""


def compiled(settings: SurfaceSettings, new_id: Callable[[], str], now_us: Callable[[], int]) -> Surface:
    """The surface of one route; ``SurfaceError`` names the setting that makes no sense, and the remedy."""
    if settings.surface not in SURFACES:
        raise SurfaceError(f"surface = {settings.surface!r} is unknown: write one of {', '.join(SURFACES)}")
    return SURFACES[settings.surface].compiled(settings, new_id, now_us)
