"""Keys rotate without anybody thinking of the gateway: a JWKS file that says something else than what is in force.

Its bytes are looked at again and again, by name. What watches files watches an inode, and a file that is replaced by a
rename, or by the swap of a link above it (as Kubernetes mounts secrets), is another one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from time import monotonic

from gateway.surfaces.input.settings import MAX_JWKS

EVERY = 1.0  # seconds between two looks
AGAIN = 60.0  # seconds until a content that was refused is tried once more: what was in its way may be gone

Digest = bytes | None
"""Of a file's bytes; None where there is none, or none that can be read."""


class Rotation:
    """``in_force``: the file when the generation in force was about to be loaded. What changes while workers read it is
    thus a change: one reload too many at worst, and none too few."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self.in_force: Digest = None
        self._clock = clock
        self._seen: Digest = None
        self._tried: Digest = None
        self._tried_at = 0.0

    def due(self, path: Path) -> bool:
        """Whether a reload is due: the file says something else, and has said so at the look before, so that nobody is
        in the middle of writing it. One that is gone is waited for."""
        before, self._seen = self._seen, digest(path)
        if self._seen is None or self._seen != before or self._seen == self.in_force:
            return False
        now = self._clock()
        if self._seen == self._tried and now < self._tried_at + AGAIN:
            return False
        self._tried = self._seen
        self._tried_at = now
        return True


def digest(path: Path | None) -> Digest:
    """See ``Digest``."""
    if path is None:
        return None
    try:
        return hashlib.sha256(read(path)).digest()
    except OSError:
        return None


def read(path: Path) -> bytes:
    """The file, or so much of one that is too large that it is refused for it. Raises OSError."""
    with path.open("rb") as file:
        return file.read(MAX_JWKS + 1)
