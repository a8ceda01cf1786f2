"""A WebSocket route's bounds and habits, as ``[routes.websocket]`` sets them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Habits:
    """Sizes in bytes, times in seconds. The names are those of the configuration, where each is explained.

    ``mute_quota`` refusals within ``mute_period`` mute a socket for ``mute_for``; a quota of 0 never does.
    """

    max_frame: int = 65_536
    max_message: int = 262_144
    max_fragments: int = 64
    max_buffered: int = 1 << 20
    max_checking: int = 64
    slow_timeout: float = 10.0
    idle_timeout: float = 300.0
    ping_interval: float = 30.0
    ping_timeout: float = 20.0
    mute_quota: int = 10
    mute_period: float = 60.0
    mute_for: float = 60.0
    close_blocked: bool = False
