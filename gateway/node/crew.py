"""Children that do the same work, so that one may wait while another works: the workers of a node."""

from __future__ import annotations

from typing import Protocol

APART = 0.1  # seconds between the ends of two pauses, so that not all start at once


class Member(Protocol):
    """A child as its crew sees it. ``up``: it runs or is being started. ``resumes_at``: the end of its pause, in the
    loop's time; infinite where it does not pause."""

    @property
    def up(self) -> bool: ...
    @property
    def resumes_at(self) -> float: ...
    def resume(self) -> None:
        """Start now, whatever is left of the pause."""


class Crew:
    """Holds that back-off never takes the last path down.

    Whoever dies pauses only while another member serves, or is on its way to. Where nobody is, one starts at once: the
    one that died, if it had served until then; otherwise it has just shown that it is no path, and the one whose pause
    is nearest to its end gets its turn. So of many that cannot start only one tries without pause, each in its turn.
    """

    def __init__(self) -> None:
        self._members: list[Member] = []

    def join(self, member: Member) -> None:
        """One more."""
        self._members.append(member)

    def leave(self, member: Member) -> None:
        """One less."""
        self._members = [other for other in self._members if other is not member]

    def staggered(self, member: Member, until: float) -> float:
        """``until``, or somewhat later, where another one's pause would end at the same time."""
        others = [other.resumes_at for other in self._members if other is not member]
        while any(abs(other - until) < APART * 0.999 for other in others):
            until += APART
        return until

    def paused(self, member: Member, served: bool) -> None:
        """``member`` has died and begins its pause; ``served``: it had come up and done its work."""
        if any(other.up for other in self._members if other is not member):
            return
        waiting = [other for other in self._members if other is not member and other.resumes_at != float("inf")]
        chosen = member if served or not waiting else min(waiting, key=lambda other: other.resumes_at)
        chosen.resume()
