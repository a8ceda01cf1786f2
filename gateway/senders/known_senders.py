"""What the platform has said, remembered within bounds, in two segments.

Whom the platform named is apart from whom it did not know: 10,000 invented credentials a second fill the second
segment, and push nobody out of the first. There the oldest that was not used since it was last looked at goes (second
chance), so that a look-up changes nothing but a mark.

A log-out names the digest of a credential, and a key is made of one or several; and it may end all that its person
presents elsewhere ("log out everywhere"), so that whatever is known of the same sender ends with it. ``_keys`` finds
who is concerned.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from gateway.senders.credentials import parts
from gateway.surfaces.input.request import Told

BRIDGED: Final = "sender:bridged"
"""Of a message whose sender was named by the platform before it stopped answering."""
LOOKED_AT: Final = 16
"""Entries that are asked for whether they were used, before one goes all the same."""


class KnownSender:
    """One whom the platform named; ``by``: the digest of that name. Times: seconds on the caller's clock.

    Whoever holds one knows by ``until`` whether it still counts: it is 0 once it is forgotten.
    ``bridging``: the platform did not answer when it was asked again; ``asked_again``: when it may be next."""

    __slots__ = ("asked_again", "asked_at", "bridged", "bridging", "by", "told", "until", "used")

    def __init__(self, sender: str, by: bytes, asked_at: float, until: float) -> None:
        self.by = by
        self.told = Told(sender)
        self.bridged = Told(sender, "", BRIDGED)
        self.asked_at = asked_at
        self.until = until
        self.bridging = False
        self.asked_again = 0.0
        self.used = False


class KnownSenders:
    """``evicted``: told of each entry that went for want of room, and of which segment."""

    __slots__ = ("_evicted", "_keys", "_most", "_most_unknown", "known", "unknown")

    def __init__(self, most: int, most_unknown: int, evicted: Callable[[str], None]) -> None:
        self.known: dict[bytes, KnownSender] = {}
        self.unknown: dict[bytes, float] = {}  # until when it holds
        self._keys: dict[bytes, set[bytes]] = {}
        self._most = most
        self._most_unknown = most_unknown
        self._evicted = evicted

    def name(self, key: bytes, entry: KnownSender) -> None:
        """The platform named somebody."""
        self.forget(key)
        if len(self.known) >= self._most:
            self._make_room()
        self.known[key] = entry
        self._link(key, entry.by)

    def deny(self, key: bytes, until: float) -> None:
        """The platform knows nobody by it."""
        self.forget(key)
        if len(self.unknown) >= self._most_unknown:
            oldest = next(iter(self.unknown))
            del self.unknown[oldest]
            self._unlink(oldest, b"")
            self._evicted("unknown")
        self.unknown[key] = until
        self._link(key, b"")

    def forget(self, key: bytes) -> None:
        """Whatever was said of it counts no more."""
        entry = self.known.pop(key, None)
        if entry is not None:
            entry.until = 0.0
            self._unlink(key, entry.by)
        elif self.unknown.pop(key, None) is not None:
            self._unlink(key, b"")

    def end(self, digest: bytes) -> list[bytes]:
        """Whoever presents this credential, or has this name, is asked for anew: here; the digests of other names that
        were known by it."""
        names: list[bytes] = []
        for key in tuple(self._keys.get(digest, ())):
            entry = self.known.get(key)
            if entry is not None and entry.by != digest and entry.by not in names:
                names.append(entry.by)
            self.forget(key)
        for name in names:
            for key in tuple(self._keys.get(name, ())):
                self.forget(key)
        return names

    def clear(self) -> None:
        """Everybody is."""
        for entry in self.known.values():
            entry.until = 0.0
        self.known.clear()
        self.unknown.clear()
        self._keys.clear()

    def _make_room(self) -> None:
        known = self.known
        for _ in range(LOOKED_AT):
            key = next(iter(known))
            entry = known[key]
            if not entry.used:
                break
            entry.used = False
            del known[key]
            known[key] = entry
        key = next(iter(known))
        entry = known.pop(key)
        entry.until = 0.0
        self._unlink(key, entry.by)
        self._evicted("known")

    def _link(self, key: bytes, by: bytes) -> None:
        for part in (*parts(key), by) if by else parts(key):
            self._keys.setdefault(part, set()).add(key)

    def _unlink(self, key: bytes, by: bytes) -> None:
        for part in (*parts(key), by) if by else parts(key):
            keys = self._keys.get(part)
            if keys is not None:
                keys.discard(key)
                if not keys:
                    del self._keys[part]
