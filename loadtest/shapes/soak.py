"""Everybody from the start to the end: does it stay as it begins?"""

from __future__ import annotations


def users_at(elapsed: float, duration: float, users: int) -> int | None:
    return None if elapsed >= duration else users
