"""Logs: JSON lines on standard error, and an access log; neither says anything of a person (law 7).

Two nets hold that law where a caller slips: fields with a personal name are withheld, and of an exception only its
class, its code and its place are told, because a message may quote what was being read. The gateway's own exceptions
keep their message: they are written to hold the law.
"""

from __future__ import annotations

import contextlib
import logging
import sys
import time
import traceback
from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import Any, Literal, TextIO

import orjson
import structlog

Level = Literal["debug", "info", "warning", "error"]

PERSONAL = frozenset(
    {
        "sender", "registrant", "device", "ip", "peer", "address", "location", "user", "text", "texts", "content",
        "body", "word", "token", "cookie", "authorization", "value",
    }
)  # fmt: skip
WITHHELD = "[withheld]"
OWN = ("gateway", "filters")
FLUSH_AT = 64 * 1024  # bytes of access log kept before they are written
FRAMES = 12

EventDict = MutableMapping[str, Any]


def withhold(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Fields whose name is personal lose their value."""
    for name in PERSONAL & event.keys():
        event[name] = WITHHELD
    return event


def place(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """``exc_info`` becomes class, message where it is safe, and the innermost frames as ``file:line function``."""
    info = event.pop("exc_info", None)
    if info is True:
        info = sys.exc_info()
    error = info if isinstance(info, BaseException) else info[1] if info else None
    if error is None:
        return event
    kind = type(error)
    event["error"] = f"{kind.__module__}.{kind.__qualname__}"
    if kind.__module__.split(".")[0] in OWN:
        event["message"] = str(error)
    elif isinstance(error, OSError) and error.strerror:
        event["message"] = error.strerror
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
    event["frames"] = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]
    return event


def _rendered(_logger: Any, _method: str, event: EventDict) -> str:
    return orjson.dumps(event, default=str).decode()


def configure(level: Level = "info", *, process: str = "", stream: TextIO | None = None, console: bool = False) -> None:
    """Set up logging for this process, the libraries' own included.

    ``process`` names it in each line. ``console`` prints for a person instead of JSON.
    """
    out: TextIO = stream or sys.stderr

    def named(_logger: Any, _method: str, event: EventDict) -> EventDict:
        if process:
            event["process"] = process
        return event

    shared: list[Any] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        named,
        place,
        withhold,
    ]
    last: Callable[..., Any] = structlog.dev.ConsoleRenderer(colors=out.isatty()) if console else _rendered
    threshold = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[*shared, last],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    handler = _Library()
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(threshold, logging.WARNING))
    # aiohttp's server names the peer's address in its errors, and redis-py may quote a command.
    for name in ("aiohttp.server", "aiohttp.web"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


class _Library(logging.Handler):
    """Lines of libraries: where and how bad, and the unformatted message. Its arguments may be personal."""

    def emit(self, record: logging.LogRecord) -> None:
        log = structlog.get_logger()
        template = record.msg if isinstance(record.msg, str) and record.args else type(record.msg).__name__
        fields: dict[str, Any] = {"library": record.name, "line": record.lineno, "template": template}
        if record.exc_info:
            fields["exc_info"] = record.exc_info
        log.log(record.levelno, "library", **fields)


class AccessLog:
    """One JSON line an answered request, and one a WebSocket when it has ended: when, which route, which status, how
    long, how much. No address, no path.

    ``add`` only appends to a list; what is there goes out in one write at ``FLUSH_AT`` bytes or when the owner
    calls ``flush`` (a worker does so once a second). A line that cannot be written is dropped and counted: unlike a
    record of the journal it is no evidence. ``close`` writes what is there, and closes the file where there is one.
    """

    __slots__ = ("_close", "_lines", "_size", "_write", "dropped")

    def __init__(self, write: Callable[[bytes], object], close: Callable[[], object] | None = None) -> None:
        self._write = write
        self._close = close
        self._lines: list[bytes] = []
        self._size = 0
        self.dropped = 0

    def add(self, method: str, route: str, status: int, sent: int, *, seconds: float, request_id: str = "") -> None:
        """``route`` is its configured name, empty where none matched; ``sent`` the bytes of the answer's body."""
        self._add(
            {
                "time": round(time.time(), 3),
                "method": method,
                "route": route,
                "status": status,
                "sent": sent,
                "ms": round(seconds * 1e3, 3),
                "request_id": request_id,
            }
        )

    def add_socket(
        self, route: str, *, seconds: float, frames: tuple[int | None, int], sizes: tuple[int, int], code: int
    ) -> None:
        """A WebSocket has ended. ``frames``: messages and control frames up and down, None where nobody reads them;
        ``sizes``: bytes up and down, framing included; ``code``: its close code."""
        self._add(
            {
                "time": round(time.time(), 3),
                "method": "GET",
                "route": route,
                "status": 101,
                "sent": sizes[1],
                "received": sizes[0],
                "ms": round(seconds * 1e3, 3),
                "frames_up": frames[0],
                "frames_down": frames[1],
                "close": code,
            }
        )

    def _add(self, told: dict[str, Any]) -> None:
        line = orjson.dumps(told)
        self._lines.append(line)
        self._size += len(line) + 1
        if self._size >= FLUSH_AT:
            self.flush()

    def flush(self) -> None:
        lines = self._lines
        if not lines:
            return
        self._lines = []
        self._size = 0
        try:
            self._write(b"\n".join(lines) + b"\n")
        except OSError:
            self.dropped += len(lines)

    def close(self) -> None:
        self.flush()
        if self._close is not None:
            with contextlib.suppress(OSError):
                self._close()
