"""Profiles: names, descriptions and other texts that people or boards show of themselves (虚拟身份信息)."""

from __future__ import annotations

from collections.abc import Callable

from gateway.surfaces.input.settings import SurfaceError, SurfaceSettings
from gateway.surfaces.surface import Surface
from gateway.surfaces.traits import Traits


def compiled(settings: SurfaceSettings, new_id: Callable[[], str], now_us: Callable[[], int]) -> Surface:
    """A profile is its owner's, or a board's: it is no moment of a video."""
    if settings.playback:
        raise SurfaceError("playback: a profile has none; use the surface “danmaku” for bullets")
    return Surface(settings, new_id, now_us)


TRAITS: Traits = Traits(compiled, services=("forum",), markup="html")
