"""Lines that a process of the node wrote and that are not ours: the state server's, an interpreter's last words.

They come by a pipe to whoever started it, and become lines of the one stream there.
"""

from __future__ import annotations

import logging
import re
from typing import Any

import orjson
import structlog

from gateway.common.posix import LONGEST_LINE
from gateway.logs.logs import COMMON

MOST = 4096  # bytes of a line that has no end yet

# Of Valkey and Redis: "10:M 29 Nov 2026 12:57:07.123 # Warning: …"; the marks in their ``serverLogRaw``.
_SERVER = re.compile(r"\d+:[A-Z] \d+ \w+ \d{4} [\d:.]+ ([.\-*#]) (.*)", re.DOTALL)
# Of a signal it says: "10:signal-handler (1796000000) Received SIGTERM scheduling shutdown..."
_SIGNALLED = re.compile(r"\d+:signal-handler \(\d+\) (.*)", re.DOTALL)
_LEVELS = {".": logging.DEBUG, "-": logging.DEBUG, "*": logging.INFO, "#": logging.WARNING}


class Splitter:
    """Bytes as they are read → whole lines. One that does not end is cut at ``MOST`` bytes."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[str]:
        """The lines that ``data`` ends, blank ones left out; without data (the end) what is left."""
        *lines, rest = (self._rest + data).split(b"\n")
        self._rest = b"" if not data or len(rest) > MOST else rest
        if not self._rest:
            lines.append(rest)
        told = (line[:MOST].decode("utf-8", "replace").strip() for line in lines)
        return [line for line in told if line]


def pass_on(line: str, process: str, pid: int | None) -> str:
    """Log a line that ``process`` wrote; what to tell of it where it turns out to be the last one.

    A line of our own keeps what it says; the state server's keep their weight; any other is a warning.
    """
    log = structlog.get_logger()
    own = _own(line)
    if own is not None:
        weight = logging.getLevelNamesMapping().get(str(own.pop("level")).upper(), logging.WARNING)
        log.log(weight, own.pop("event"), **own)
        return gist(line)
    weight, said = logging.WARNING, line
    if (server := _SERVER.fullmatch(line)) is not None:
        weight, said = _LEVELS[server[1]], server[2]
    elif (signalled := _SIGNALLED.fullmatch(line)) is not None:
        weight, said = logging.INFO, signalled[1]
    log.log(weight, "child.said", process=process, pid=pid, said=said[:LONGEST_LINE])
    return said[:LONGEST_LINE]


def gist(line: str) -> str:
    """A last line in few words: of one of our own its event, and its error where it has one."""
    own = _own(line)
    if own is None:
        return line[:LONGEST_LINE]
    told = (str(own[key]) for key in ("event", "error", "message") if key in own)
    return ": ".join(told)[:LONGEST_LINE]


def _own(line: str) -> dict[str, Any] | None:
    """The fields of a line of our own."""
    if not line.startswith("{"):
        return None
    try:
        fields = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return fields if isinstance(fields, dict) and all(key in fields for key in COMMON) else None
