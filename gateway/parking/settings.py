"""What a worker needs to know of ``[review]``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from gateway.common.defaults import default_size

OnCap = Literal["reject", "pass", "label"]


@dataclass(frozen=True, slots=True)
class ReviewSettings:
    """``key`` and ``previous_keys``: 32 bytes each. ``waiting``: of everybody in all rooms. ``delayed``: of what
    waits for the delay of its route, in one worker. ``on_cap``: what one message more is worth. ``path``: what the
    addresses begin with at which senders ask; it ends with a slash."""

    key: bytes = field(repr=False)
    on_cap: OnCap
    previous_keys: tuple[bytes, ...] = field(default=(), repr=False)
    path: str = "/tidegate/review/"
    waiting_per_sender: int = 3
    waiting_per_room: int = 500
    waiting: int = 10_000
    delayed_per_sender: int = 5
    delayed: int = 10_000
    delayed_bytes: int = default_size("64MiB")
