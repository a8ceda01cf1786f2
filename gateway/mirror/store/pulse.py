"""The projector's pulse: whether it lives, and how far it came. Written by it, asked by the workers for each bullet.

One file of ``SIZE`` bytes (little-endian): ``TGPU``, format, pid, the id of the machine's start (``boot_id``, see
random(4)), heartbeat and watermark as float64 seconds, CRC32 of what is before it. The watermark says: every bullet
that was recorded before this moment is on its page.

Seconds are those of the machine's monotonic clock, which all of its processes share: a time of day that is set, back or
ahead, makes nobody wait. Seconds of an earlier start of the machine say nothing.

The file is read, not mapped: a mapped file that somebody truncates kills the reader with SIGBUS. A reader opens it anew
when what it knows is ``READ_EVERY`` old, so a replaced or deleted file is noticed, and one check costs a comparison.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import NamedTuple

from gateway.common.boot import boot_id

FORMAT = 2
READ_EVERY = 0.05  # seconds
_BODY = struct.Struct("<4sIII16sdd")
_SUM = struct.Struct("<I")
SIZE = _BODY.size + _SUM.size
_MAGIC = b"TGPU"


class Beat(NamedTuple):
    """``heartbeat`` and ``watermark``: seconds of the machine's monotonic clock."""

    heartbeat: float
    watermark: float
    pid: int


class Pulse:
    """The projector's side. The file is made aside and renamed once; after that it is written over in place."""

    def __init__(self, path: Path, clock: Callable[[], float] = monotonic, boot: bytes | None = None) -> None:
        self._path = path
        self._clock = clock
        self._boot = boot_id().bytes if boot is None else boot
        self._fd = -1
        self.watermark = 0.0

    def write(self, watermark: float | None = None) -> None:
        """Beat; ``watermark`` only where it moved on. Raises OSError."""
        if watermark is not None:
            self.watermark = watermark
        body = _BODY.pack(_MAGIC, FORMAT, os.getpid(), 0, self._boot, self._clock(), self.watermark)
        data = body + _SUM.pack(zlib.crc32(body))
        if self._fd < 0 or not self._is_mine():
            self._make(data)
        else:
            os.pwrite(self._fd, data, 0)

    def close(self) -> None:
        """Stop beating: the workers see it go stale."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _is_mine(self) -> bool:
        try:
            seen = self._path.stat()
        except OSError:
            return False
        mine = os.fstat(self._fd)
        return (seen.st_dev, seen.st_ino) == (mine.st_dev, mine.st_ino)

    def _make(self, data: bytes) -> None:
        self.close()
        aside = self._path.with_name(self._path.name + ".new")
        fd = os.open(aside, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            os.pwrite(fd, data, 0)
            aside.replace(self._path)
        except OSError:
            os.close(fd)
            raise
        self._fd = fd


class PulseReader:
    """The worker's side. An absent, foreign or damaged file is not fresh; nothing is raised."""

    __slots__ = ("_boot", "_clock", "_good_from", "_good_until", "_lag", "_look_at", "_path")

    def __init__(self, path: Path, clock: Callable[[], float] = monotonic, boot: bytes | None = None) -> None:
        self._path = os.fspath(path)
        self._clock = clock
        self._boot = boot_id().bytes if boot is None else boot
        self._lag = -1.0
        # Between these two moments what was read last may be believed, and is fresh.
        self._good_from = 0.0
        self._good_until = 0.0
        self._look_at = 0.0  # before this moment a stale file is not read again

    def fresh(self, max_lag: float) -> bool:
        """Whether bullets may enter: heartbeat and watermark are at most ``max_lag`` seconds old."""
        now = self._clock()
        if self._good_from <= now < self._good_until and max_lag == self._lag:
            return True
        if max_lag == self._lag and self._look_at - READ_EVERY <= now < self._look_at:
            return False
        return self._look(now, max_lag)

    def beat(self) -> Beat | None:
        """What the file says now."""
        try:
            fd = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            data = os.pread(fd, SIZE + 1, 0)
        except OSError:
            return None
        finally:
            os.close(fd)
        if len(data) != SIZE or _SUM.unpack_from(data, _BODY.size)[0] != zlib.crc32(data[: _BODY.size]):
            return None
        magic, version, pid, _, boot, heartbeat, watermark = _BODY.unpack_from(data)
        if magic != _MAGIC or version != FORMAT or boot != self._boot:
            return None
        return Beat(heartbeat, watermark, pid)

    def _look(self, now: float, max_lag: float) -> bool:
        self._lag = max_lag
        self._look_at = now + READ_EVERY
        self._good_until = 0.0
        beat = self.beat()
        if beat is None:
            beat = self.beat()  # it may have been read while it was written
        if beat is None:
            return False
        # A time that lies ahead is as little to be believed as an old one: this clock is never set.
        if abs(now - beat.heartbeat) > max_lag or abs(now - beat.watermark) > max_lag:
            return False
        self._good_from = now
        self._good_until = min(now + READ_EVERY, beat.heartbeat + max_lag, beat.watermark + max_lag)
        return True
