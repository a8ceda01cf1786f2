"""The names of all keys in state, in one place.

Governance data stand under their epoch, so that a rebuild writes a new epoch aside and switches to it: at no moment
is somebody innocent because a key is not there yet. Counters stand outside it and survive a rebuild.

Braces are hash tags (Redis Cluster specification): everything about one sender shares a slot, everything about one
room another, and so on. On a single server they cost nothing.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from filters.model.limits import Limit
from filters.model.rule import Repeat

SLOTS = 16384
BLOCK_LETTERS = {"sender": "s", "registrant": "g", "device": "d", "ip": "i", "room": "r"}


class Keys(NamedTuple):
    """Key names of one deployment; ``prefix`` lets several share a server. ``epoch`` is a decimal number."""

    prefix: str = "tg"

    @property
    def epoch(self) -> str:
        """Holds the epoch in force on a single server."""
        return f"{self.prefix}:epoch"

    @property
    def building(self) -> str:
        """``EPOCH FLOOR`` of the epoch that is written aside: what changes meanwhile is written there too. A server
        that has lost it has lost more."""
        return f"{self.prefix}:building"

    def begun(self, epoch: int) -> str:
        """The epoch's floor: the act that had been done when its rows began to be read. What was read before that may
        not be written."""
        return f"{self.prefix}:{epoch}:begun"

    def newest(self, epoch: int) -> str:
        """The newest act up to which rows were read that stand in this epoch."""
        return f"{self.prefix}:{epoch}:newest"

    def dated(self, epoch: int, key: str) -> str:
        """Up to which act the row of ``key`` was read, for a while; in the same slot."""
        before = f"{self.prefix}:{epoch}:"
        return f"{before}v:{key.removeprefix(before)}"

    @property
    def owner(self) -> str:
        """The control database that projects into this state, JSON (``gateway.state.cold.owner``)."""
        return f"{self.prefix}:owner"

    @property
    def server(self) -> str:
        """Names the run of the server that holds the governance data, as INFO tells it."""
        return f"{self.prefix}:server"

    def look(self, slot: int) -> str:
        """Written so that replicas can be asked whether they have it, and so all that came before; ``slot``: in a
        cluster, one of the primary's; -1 on a single server."""
        return f"{self.prefix}:look" if slot < 0 else f"{self.prefix}:look:{{{slot_tag(slot)}}}"

    def epoch_at(self, slot: int) -> str:
        """Holds the epoch in force for one slot of a cluster, where a script may only read its own slot."""
        return f"{self.prefix}:epoch:{{{slot_tag(slot)}}}"

    @property
    def version(self) -> str:
        """Version of the snapshot, a decimal number."""
        return f"{self.prefix}:version"

    @property
    def snapshot(self) -> str:
        """The snapshot, JSON."""
        return f"{self.prefix}:snapshot"

    @property
    def notices(self) -> str:
        """Channel on which a new version is told."""
        return f"{self.prefix}:notices"

    @property
    def log_outs(self) -> str:
        """Stream of digests of credentials that were logged out."""
        return f"{self.prefix}:logouts"

    def account(self, epoch: int, sender: str) -> str:
        """``verified verified_until credit``; before the last, where there are any, how many messages were approved."""
        return f"{self.prefix}:{epoch}:a:{{{sender}}}"

    def block(self, epoch: int, scope: str, value: str) -> str:
        """``expires interval burst arrival reason``; an interval of 0 is a wall, otherwise the block is a limit."""
        return f"{self.prefix}:{epoch}:b:{BLOCK_LETTERS[scope]}:{{{value}}}"

    def room(self, epoch: int, room: str) -> str:
        """``slow INTERVAL_US``, ``muted`` or ``closed``; no key for an open room."""
        return f"{self.prefix}:{epoch}:r:{{{room}}}"

    def limit(self, limit: Limit, route: str, shadow: bool, value: str) -> str:
        """Theoretical arrival time in microseconds. Addresses, devices and everybody together are counted over all
        routes with the same limit; senders and rooms on each route."""
        place = "" if limit.scope in ("ip", "device", "global") else f"{route}:"
        letter = "h" if shadow else "l"
        scale = f".{crc16(repr(limit.scale).encode()):x}" if limit.scale else ""
        return f"{self.prefix}:{letter}:{limit.scope}:{place}{limit.quota}.{limit.period_us}{scale}:{{{value}}}"

    def repeat(self, repeat: Repeat, route: str, shadow: bool) -> str:
        """What stands before ``{tag}`` and the fingerprint: ``seen people end``, the end in milliseconds."""
        place = "" if repeat.scope == "global" else f"{route}:"
        letter = "hp" if shadow else "p"
        return f"{self.prefix}:{letter}:{repeat.scope}:{place}{repeat.period_us}:"

    def ticket(self, number: int) -> str:
        """The message that is on its way with a re-send ticket."""
        return f"{self.prefix}:t:{{{number}}}"

    def slow(self, room: str, sender: str) -> str:
        """When the sender may write again in a room in slow mode."""
        return f"{self.prefix}:w:{{{room}}}:{sender}"


def crc16(data: bytes) -> int:
    """CRC-16/XMODEM, as the cluster specification asks."""
    crc = 0
    for byte in data:
        crc = ((crc << 8) & 0xFFFF) ^ _CRC[(crc >> 8) ^ byte]
    return crc


def _crc_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        crc = byte << 8
        for _ in range(8):
            crc = ((crc << 1) ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
        table.append(crc)
    return tuple(table)


_CRC = _crc_table()


def slot_of(key: bytes) -> int:
    """The hash slot of a key: of what stands between its first ``{`` and the next ``}``, unless that is empty."""
    start = key.find(b"{")
    if start >= 0:
        end = key.find(b"}", start + 1)
        if end > start + 1:
            key = key[start + 1 : end]
    return crc16(key) % SLOTS


@cache
def _tags() -> tuple[str, ...]:
    found: dict[int, str] = {}
    number = 0
    while len(found) < SLOTS:
        found.setdefault(crc16(str(number).encode()) % SLOTS, str(number))
        number += 1
    return tuple(found[slot] for slot in range(SLOTS))


def slot_tag(slot: int) -> str:
    """A short tag that hashes to ``slot``."""
    return _tags()[slot]
