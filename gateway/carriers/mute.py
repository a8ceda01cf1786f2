"""What mutes one socket, and what its sender has been told of that.

Two kinds. **Standing**: people have blocked the sender or frozen the place. Each message is still judged, so that the
record holds it and the end of a block is felt at once; here is only what was told, because it is told once when it
begins and once when it ends. **Repeated**: so many messages of this socket were refused that for a while none is
judged any more.
"""

from __future__ import annotations

from collections import deque

from gateway.common.sweep import NEVER
from gateway.websocket.habits import Habits


class Mute:
    """Made with a socket's first refusal; a socket that behaves has none. Times: seconds on the sweep's clock."""

    __slots__ = ("_listed", "_refusals", "standing", "until")

    def __init__(self) -> None:
        self._refusals: deque[float] = deque()
        self._listed = False
        self.standing = ""
        self.until = 0.0

    # repeated refusals

    def refused(self, now: float, habits: Habits) -> bool:
        """One more refusal. True where it is the one that mutes."""
        after = habits.mute_after
        if after is None or now < self.until:
            return False
        refusals = self._refusals
        refusals.append(now)
        while now - refusals[0] > after.seconds:
            refusals.popleft()
        if len(refusals) < after.quota:
            return False
        refusals.clear()
        self.until = now + habits.mute_for
        return True

    def muted(self, now: float) -> bool:
        """Whether nothing is judged now."""
        return now < self.until

    @property
    def ends(self) -> float:
        """When a mute has to be told to be over; ``NEVER`` while there is none."""
        return self.until or NEVER

    def over(self, now: float) -> bool:
        """True, once, where a mute has ended since it was last asked."""
        if not self.until or now < self.until:
            return False
        self.until = 0.0
        return True

    # what people have switched on

    def found(self, reason: str) -> bool:
        """A message was refused for ``reason``. True where that is news to its sender."""
        if self.standing == reason:
            return False
        self.standing = reason
        self._listed = False
        return True

    def passed(self) -> str:
        """A message went on: nothing stands against the sender. The reason that ended, or nothing."""
        ended, self.standing = self.standing, ""
        return ended

    def listed(self, reason: str) -> tuple[str, str]:
        """What the snapshot holds against this sender and this place; empty where nothing.

        (what begins to be told, what ends). A standing reason that only a message has shown does not end because
        the snapshot does not name it: the snapshot holds the newest blocks, state holds all.
        """
        before = self.standing
        if reason == before:
            self._listed = self._listed or bool(reason)
            return "", ""
        if not reason and not self._listed:
            return "", ""
        self.standing = reason
        self._listed = bool(reason)
        return reason, "" if reason else before
