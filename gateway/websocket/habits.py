"""A WebSocket route's bounds and habits, as ``[routes.websocket]`` sets them."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.common.defaults import default_rate, default_size, default_time
from gateway.common.units import Rate


@dataclass(frozen=True, slots=True)
class Habits:
    """Sizes in bytes, times in seconds. The names are those of the configuration, which explains each and takes its
    default.

    As many refusals as ``mute_after`` says mute a socket for ``mute_for``; None: none ever does.
    """

    max_frame: int = default_size("64KiB")
    max_message: int = default_size("256KiB")
    max_fragments: int = 64
    max_buffered: int = default_size("1MiB")
    max_checking: int = 64
    max_controls: Rate = default_rate("100/10s")  # noqa: RUF009 - it is a field
    max_malformed: Rate = default_rate("50/10s")  # noqa: RUF009
    slow_timeout: float = default_time("10s")
    idle_timeout: float = default_time("5m")
    ping_interval: float = default_time("30s")
    ping_timeout: float = default_time("20s")
    mute_after: Rate | None = default_rate("10/1m")  # noqa: RUF009 - it is a field
    mute_for: float = default_time("1m")
    close_blocked: bool = False
