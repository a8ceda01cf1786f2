"""Bullet comments (弹幕): over a socket or a request, some with the place in the video that they belong to."""

from __future__ import annotations

from collections.abc import Callable

from gateway.surfaces.input.settings import SurfaceError, SurfaceSettings
from gateway.surfaces.surface import Surface
from gateway.surfaces.traits import Traits


def compiled(settings: SurfaceSettings, new_id: Callable[[], str], now_us: Callable[[], int]) -> Surface:
    """A bullet without a room would have no static version to stand in (law 6)."""
    if not settings.room:
        raise SurfaceError("room: name where it is read from, such as “path:room”; a bullet's static version needs it")
    return Surface(settings, new_id, now_us)


# An edit does not name what it replaces, and both would stand in the static version.
TRAITS: Traits = Traits(compiled, services=("comments", "audio-video"), mirrored=True, edits=False)
