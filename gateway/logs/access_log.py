"""The access log: one line an answered request, and one a WebSocket when it has ended (docs/logs.md).

Which route, which status, how long, how much: no address, and no path but the route's own template.
"""

from __future__ import annotations

import contextlib
import os
import queue
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

import orjson

FLUSH_AT: Final = 64 * 1024  # bytes of lines kept before they are handed over
MOST_WAITING: Final = 1 << 20  # bytes handed over and not yet taken by the file or the reader of the pipe
METHODS: Final = frozenset(("", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
OTHER: Final = "other"  # stands for any other method: a client may write what it likes there, as long as a line
PIECE: Final = 4096  # bytes that a pipe keeps whole (pipe(7), PIPE_BUF)
END_WITHIN: Final = 2.0  # seconds for what waits to be taken, at the end


class DroppedLines(Protocol):
    """A counter that outlives the log it is of."""

    value: int


class AccessLog:
    """``add`` only appends to a list; what is there is handed to a thread at ``FLUSH_AT`` bytes or when the owner
    calls ``flush`` (a worker does so once a second), so that a reader which stands still never holds up a loop.

    A line that finds no place among ``MOST_WAITING`` bytes, or that cannot be written, is dropped and counted in
    ``dropped``: unlike a record of the journal it is no evidence. ``named``: the keys that every line of this process
    has. ``readable``: for a person instead of JSON. ``close`` is called when all is written.
    """

    __slots__ = (
        "_close", "_lines", "_named", "_queue", "_readable", "_second", "_second_text", "_size", "_thread", "_waiting",
        "_write", "dropped",
    )  # fmt: skip

    _lock = threading.Lock()  # of all logs: they may count in one cell

    def __init__(
        self,
        write: Callable[[bytes], object],
        close: Callable[[], object] | None = None,
        *,
        dropped: DroppedLines,
        named: Mapping[str, Any],
        readable: bool = False,
    ) -> None:
        self._write = write
        self._close = close
        self.dropped = dropped
        self._named = dict(named)
        self._readable = readable
        self._lines: list[bytes] = []
        self._size = 0
        self._waiting = 0
        self._queue: queue.SimpleQueue[tuple[bytes, int] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._second = 0
        self._second_text = ""

    def add(
        self,
        method: str,
        route: str,
        path: str,
        status: int,
        *,
        seconds: float,
        sizes: tuple[int | None, int],
        request_id: str = "",
        message_id: str = "",
        trace_id: str = "",
        reason: str = "",
        ended: str = "whole",
    ) -> None:
        """A request is answered, or never will be.

        ``route``: its configured name, empty where none matched; ``path``: its template; ``sizes``: bytes of the
        request's body, None where it did not say, and of the answer's; ``reason``: code of a refusal of ours;
        ``ended``: whole, left (by its client) or cut.
        """
        self._add(
            {
                "method": method if method in METHODS else OTHER,
                "route": route,
                "path": path,
                "status": status,
                "ms": round(seconds * 1e3, 3),
                "received": sizes[0],
                "sent": sizes[1],
                "request_id": request_id,
                "message_id": message_id,
                "trace_id": trace_id,
                "reason": reason,
                "ended": ended,
            }
        )

    def add_socket(
        self,
        route: str,
        path: str,
        *,
        seconds: float,
        frames: tuple[int | None, int],
        sizes: tuple[int, int],
        code: int,
        request_id: str = "",
        trace_id: str = "",
    ) -> None:
        """A WebSocket has ended. ``frames``: messages and control frames up and down, None where nobody reads them;
        ``sizes``: bytes up and down, framing included; ``code``: its close code."""
        self._add(
            {
                "method": "GET",
                "route": route,
                "path": path,
                "status": 101,
                "ms": round(seconds * 1e3, 3),
                "received": sizes[0],
                "sent": sizes[1],
                "frames_up": frames[0],
                "frames_down": frames[1],
                "close": code,
                "request_id": request_id,
                "trace_id": trace_id,
            }
        )

    def _add(self, told: dict[str, Any]) -> None:
        if self._readable:
            line = f"{self._now()} [info     ] access  {_plain(told)}".encode()
        else:
            line = orjson.dumps({"ts": self._now(), "level": "info", "event": "access", **self._named, **told})
        self._lines.append(line)
        self._size += len(line) + 1
        if self._size >= FLUSH_AT:
            self.flush()

    def _now(self) -> str:
        now_ms = time.time_ns() // 1_000_000
        second = now_ms // 1000
        if second != self._second:
            self._second = second
            self._second_text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        return f"{self._second_text}.{now_ms % 1000:03d}Z"

    def flush(self) -> None:
        """Hand over what is there."""
        lines = self._lines
        if not lines:
            return
        data = b"\n".join(lines) + b"\n"
        self._lines = []
        self._size = 0
        with self._lock:
            if self._waiting + len(data) > MOST_WAITING:
                self.dropped.value += len(lines)
                return
            self._waiting += len(data)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="access log", daemon=True)
            self._thread.start()
        self._queue.put((data, len(lines)))

    def _run(self) -> None:
        while (handed := self._queue.get()) is not None:
            data, lines = handed
            lost = 0
            try:
                self._write(data)
            except (OSError, ValueError):  # a full disk, a reader that is gone, a file that is closed
                lost = lines
            with self._lock:
                self._waiting -= len(data)
                self.dropped.value += lost
        self._end()

    def _end(self) -> None:
        if self._close is not None:
            with contextlib.suppress(OSError):
                self._close()

    def close(self, within: float = 0.0) -> None:
        """Nothing more comes: the file is closed when all is written. ``within``: seconds to wait for that."""
        self.flush()
        if self._thread is None:
            self._end()
            return
        self._queue.put(None)
        self._thread.join(within)


def _plain(told: Mapping[str, Any]) -> str:
    head = f"{told['method']} {told['path'] or told['route'] or '-'} {told['status']} {told['ms']} ms"
    rest = (f"{key}={value}" for key, value in told.items() if key not in ("method", "path", "status", "ms") and value)
    return f"{head}  {' '.join(rest)}"


def write_lines(descriptor: int, data: bytes) -> None:
    """Write whole lines to what others write to as well: none of them in two pieces. Raises OSError."""
    start = 0
    while start < len(data):
        end = data.rfind(b"\n", start, start + PIECE) + 1 or data.find(b"\n", start) + 1 or len(data)
        piece = memoryview(data)[start:end]
        while piece:
            piece = piece[os.write(descriptor, piece) :]
        start = end
