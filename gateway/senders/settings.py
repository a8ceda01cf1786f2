"""How a platform is asked who sends, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gateway.common.defaults import default_rate, default_size, default_time
from gateway.common.units import Rate


@dataclass(frozen=True, slots=True)
class WhoamiSettings:
    """One ``[routes.whoami]``. Times in seconds, sizes in bytes; all numbers are of one worker.

    ``ask``: method and path, without placeholders. ``credentials``: ``header:NAME`` and ``cookie:NAME``, all that the
    question is asked with. ``id``: ``json:/pointer`` or ``header:NAME`` of the answer. ``logout``: methods and paths
    behind which a credential may mean somebody else. ``unknown``: what becomes of a socket whose sender is none.
    """

    ask: str
    credentials: tuple[str, ...]
    id: str
    on_error: Literal["reject", "pass"]
    deadline: float = default_time("2s")
    cache: float = default_time("60s")
    cache_unknown: float = default_time("5s")
    bridge: float = 0.0
    logout: tuple[str, ...] = ()
    unknown: Literal["mute", "close"] = "mute"
    max_known: int = 20_000
    max_unknown: int = 10_000
    max_asking: int = 32
    max_asking_address: int = 8
    max_asked: Rate = default_rate("200/1s")  # noqa: RUF009 - it is a field
    max_asked_address: Rate = default_rate("40/1s")  # noqa: RUF009
    max_waiting: int = 1000
    max_answer: int = default_size("64KiB")
    max_credential: int = default_size("8KiB")
