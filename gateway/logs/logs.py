"""Logs: JSON lines on standard error, each whole in one write, that say nothing of a person (law 7).

Every line has the keys of ``COMMON``, see docs/logs.md. Two nets hold the law where a caller slips: fields with a
personal name are withheld, and of an exception only its class, its code and its place are told, because a message may
quote what was being read. The gateway's own exceptions keep their message: they are written to hold the law.

All processes of a node write to one stream. A pipe keeps a write of ``LONGEST`` bytes whole and may mix longer ones
(pipe(7), PIPE_BUF), so that a line is never longer.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Mapping, MutableMapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, TextIO

import orjson
import structlog

Level = Literal["debug", "info", "warning", "error"]
EventDict = MutableMapping[str, Any]

COMMON = ("ts", "level", "event", "process", "node", "pid")
PERSONAL = frozenset(
    {
        "sender", "registrant", "device", "ip", "peer", "address", "location", "user", "text", "texts", "content",
        "body", "word", "token", "cookie", "authorization", "value",
    }
)  # fmt: skip
WITHHELD = "[withheld]"
CUT = "…"  # stands where the rest of a value is left out
OWN = ("gateway", "filters")
LONGEST = 4096  # bytes of a line, its end included
FRAMES = 12
NODE = "TIDEGATE_LOG_NODE"  # in the environment: the node's number, for processes that have read no configuration yet


def now() -> str:
    """The time of day as lines tell it (RFC 3339, UTC, microseconds)."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


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


def rendered(event: Mapping[str, Any]) -> str:
    """One JSON object, the common keys first. What makes it too long for one write is shortened."""
    fields = {key: event[key] for key in COMMON if key in event} | dict(event)
    line = _encoded(fields)
    for _ in range(64):
        if len(line) < LONGEST:
            return line.decode()
        longest = max(fields.keys() - COMMON, key=lambda key: len(_encoded(fields[key])), default="event")
        fields[longest] = _shorter(fields[longest])
        line = _encoded(fields)
    return _encoded({key: fields[key] for key in COMMON if key in fields}).decode()


def _encoded(value: Any) -> bytes:
    try:
        return orjson.dumps(value, default=str)
    except TypeError:  # half a character of a file's name, a number of more than 64 bits, a key that is no text
        return json.dumps(value, default=str, skipkeys=True).encode("ascii")


def _shorter(value: Any) -> Any:
    if isinstance(value, list | tuple):
        kept = [each for each in value if each != CUT]
        if len(kept) > 1:
            return [*kept[: len(kept) // 2], CUT]
        value = kept[0] if kept else ""
    text = str(value)
    return text[: len(text) // 2] + CUT if len(text) > 16 else CUT


class _Lines:
    """What structlog calls a logger: it writes."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def msg(self, line: str) -> None:
        """One line in one write. Where nobody takes it, it is lost: no reason to fail."""
        try:
            self._out.write(line + "\n")
            self._out.flush()
        except (OSError, ValueError):
            pass

    log = debug = info = warning = error = critical = fatal = failure = warn = exception = msg


def configure(
    level: Level = "info", *, process: str = "", node: int | None = None, stream: TextIO | None = None,
    console: bool = False,
) -> None:  # fmt: skip
    """Set up logging for this process, the libraries' own included.

    ``process`` and ``node`` name it in each line; processes started from here know the node too. ``console`` prints for
    a person instead of JSON.
    """
    out: TextIO = stream or sys.stderr
    if node is not None:
        os.environ[NODE] = str(node)
    elif os.environ.get(NODE, "").isdigit():
        node = int(os.environ[NODE])
    pid = os.getpid()

    def named(_logger: Any, method: str, event: EventDict) -> EventDict:
        event.setdefault("ts", now())
        event.setdefault("level", {"exception": "error"}.get(method, method))
        event.setdefault("process", process)
        event.setdefault("node", node)
        event.setdefault("pid", pid)
        return event

    last: Callable[..., Any]
    if console:
        console_line = structlog.dev.ConsoleRenderer(colors=out.isatty(), timestamp_key="ts")

        def last(logger: Any, method: str, event: EventDict) -> str:
            for key in ("node", "pid"):  # there is one node, and the process is named
                event.pop(key, None)
            return console_line(logger, method, event)
    else:

        def last(_logger: Any, _method: str, event: EventDict) -> str:
            return rendered(event)

    threshold = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[named, place, withhold, last],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=lambda *_: _Lines(out),
        cache_logger_on_first_use=False,
    )
    handler = _Library()
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(threshold, logging.WARNING))
    # aiohttp's server names the peer's address in its errors, and redis-py may quote a command.
    for name in ("aiohttp.server", "aiohttp.web"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def own_up(process: str) -> None:
    """A program of ours begins: ``configure``, and what Python itself would say in its own words becomes lines, too."""
    configure(process=process, console=sys.stderr.isatty())
    sys.excepthook = _uncaught
    threading.excepthook = lambda told: _unhandled("thread", told.exc_value)
    sys.unraisablehook = _unraisable
    warnings.showwarning = _warned


def _unraisable(told: sys.UnraisableHookArgs) -> None:
    if isinstance(told.exc_value, UnicodeDecodeError) and isinstance(told.object, bytes):
        # The name in a TLS handshake (SNI), of which the module ssl makes text before it asks anybody. It refuses the
        # handshake, which is counted; a line for each would be a stranger's way to fill the log.
        return
    _unhandled("finalizer", told.exc_value)


def _uncaught(kind: type[BaseException], error: BaseException, _trace: TracebackType | None) -> None:
    if not issubclass(kind, KeyboardInterrupt):
        _unhandled("main", error)


def _unhandled(where: str, error: BaseException | None) -> None:
    structlog.get_logger().critical("exception.unhandled", where=where, exc_info=error)


def _warned(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, file: Any = None, line: Any = None
) -> None:  # the message may quote what was being read
    structlog.get_logger().warning(
        "python.warning", category=category.__name__, where=f"{Path(filename).name}:{lineno}"
    )


class _Library(logging.Handler):
    """Lines of libraries: where and how bad, and the unformatted message. Its arguments may be personal."""

    def emit(self, record: logging.LogRecord) -> None:
        log = structlog.get_logger()
        template = record.msg if isinstance(record.msg, str) and record.args else type(record.msg).__name__
        log.log(
            record.levelno, "library", library=record.name, line=record.lineno, template=template,
            exc_info=record.exc_info,
        )  # fmt: skip
