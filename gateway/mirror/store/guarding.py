"""Which rooms only some people may read, and that their folders are closed to everybody but us.

A web server that serves the mirror's folder asks the platform nothing: so what only some may read it must not be able
to open (law 6). A folder of mode 0700 says that to any server that runs as another user.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

OPEN, CLOSED = 0o755, 0o700
PAGES_FOR_ALL = 0o022
"""The umask of who writes pages: they are for everybody whom their folder lets in; private files say so themselves."""


def asked(through: Collection[str], guards: frozenset[str], known: frozenset[str]) -> frozenset[str]:
    """Which of ``guards``, the routes with ``access``, say who may read a room that ``through`` feed. All of them where
    that is not known: no bullets yet, or a route that is not among the ``known`` danmaku routes (any more)."""
    through = frozenset(through)
    return guards & through if through and through <= known else guards


class Guarding(NamedTuple):
    """``guards``: routes with ``access``; ``known``: all danmaku routes."""

    guards: frozenset[str] = frozenset()
    known: frozenset[str] = frozenset()

    def mode(self, through: Collection[str]) -> int:
        """The mode of the folder of a room that ``through`` feed."""
        return CLOSED if asked(through, self.guards, self.known) else OPEN


UNGUARDED = Guarding()
