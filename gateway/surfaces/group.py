"""Group messages: over a socket or a request; the room is the group."""

from __future__ import annotations

from collections.abc import Callable

from gateway.surfaces.input.settings import SurfaceError, SurfaceSettings
from gateway.surfaces.surface import Surface
from gateway.surfaces.traits import Traits


def compiled(settings: SurfaceSettings, new_id: Callable[[], str], now_us: Callable[[], int]) -> Surface:
    """A message belongs to a group: its status and the sender's block in it are looked up by the room."""
    if not settings.room:
        raise SurfaceError("room: name where the group is read from, such as “path:room”")
    if settings.playback:
        raise SurfaceError("playback: a group message has none; use the surface “danmaku” for bullets")
    return Surface(settings, new_id, now_us)


TRAITS: Traits = Traits(compiled, services=("groups",), content="findings")
