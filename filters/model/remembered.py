"""Results that are remembered by what they were made of, so many at most: one more, and all are forgotten.

Forgetting everything costs one line and no order of use to keep; where values repeat at all, they are soon back. What
is known is a plain dict and looked up as such, because compiled code is slower with a subclass; only what is new pays,
with one ``len``.

    known = self._routes.known.get(path)
    if known is None:
        known = self._routes.put(path, self._find(path))
"""

from __future__ import annotations

from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Remembered(Generic[K, V]):
    """``known`` is the same dict for ever, emptied when ``most`` are in it. A set is made by ``put(one, one)``."""

    __slots__ = ("known", "most")

    def __init__(self, most: int) -> None:
        self.known: dict[K, V] = {}
        self.most = most

    def put(self, key: K, value: V) -> V:
        """Remember one more; the value, for the caller's use."""
        known = self.known
        if len(known) >= self.most:
            known.clear()
        known[key] = value
        return value
