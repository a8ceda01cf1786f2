"""From a code to the messages that it stands for: one, nearly always.

A code names a second and 22 bits of a digest. The few segments that were open at that second are searched for ids of
it, over a map of the file; no record is read. A guessed code names a second of 8.5 years, of which the journal holds
half a year, and there one message in four million.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from gateway.appeals.codes import SECONDS, Codes
from gateway.journal.read import lookup

_AHEAD: Final = 400 * 86_400
"""Seconds by which the clock may have been ahead when a message came."""


def find(root: Path, codes: Codes, text: str, now: int) -> list[str]:
    """Ids of messages that the journal in ``root`` holds and that have this code; several where two of one second agree
    in the 22 bits. ``now``: seconds since the epoch. Reads files: not for the loop."""
    told = codes.read(text)
    if told is None:
        return []
    found: set[str] = set()
    for second in _seconds(told.second, now):
        for all_day in (False, True):
            for path in lookup.about(root, second * 1_000_000, all_day=all_day):
                found.update(one for one in _ids(path, second) if codes.mark(one) == told.mark)
            if found:
                return sorted(found)
    return []


def _seconds(told: int, now: int) -> Iterator[int]:
    """The newest second that a code can mean, and the next one, where the clock was ahead of what it is now."""
    latest = now - (now - told) % SECONDS
    yield latest
    if latest + SECONDS <= now + _AHEAD:
        yield latest + SECONDS


def _ids(path: Path, second: int) -> Iterator[str]:
    """The ids of one second in a segment, some of them several times."""
    first = second * 1000
    if first < 0:
        return
    heads = {f"{one:012x}"[:9] for one in (first, first + 999)}  # these nine digits last for 4,096 ms
    try:
        with path.open("rb") as file:
            if not file.seek(0, 2):
                return
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as held:
                for head in heads:
                    needle = b'"id":"%b-%b' % (head[:8].encode(), head[8:].encode())
                    at = held.find(needle)
                    while at >= 0:
                        told = held[at + 6 : at + 42].decode("ascii", "replace")
                        try:
                            if int(told[:8] + told[9:13], 16) // 1000 == second:
                                yield told
                        except ValueError:  # no id of ours
                            pass
                        at = held.find(needle, at + 42)
    except FileNotFoundError:  # pruned meanwhile
        return
