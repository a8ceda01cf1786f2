"""What a worker needs to know of ``[review]``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

OnCap = Literal["reject", "pass", "label"]


@dataclass(frozen=True, slots=True)
class ReviewSettings:
    """``key`` and ``previous_keys``: 32 bytes each. ``waiting``: of everybody in all rooms. ``on_cap``: what one
    message more is worth. ``path``: what the addresses begin with at which senders ask; it ends with a slash."""

    key: bytes = field(repr=False)
    on_cap: OnCap
    previous_keys: tuple[bytes, ...] = field(default=(), repr=False)
    path: str = "/tidegate/review/"
    waiting_per_sender: int = 3
    waiting_per_room: int = 500
    waiting: int = 10_000
