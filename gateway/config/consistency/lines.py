"""On which line of a file each key stands. The parser of the standard library says so for errors of syntax only.

Read from a text that is known to be TOML (https://toml.io/en/v1.0.0), so that nothing is checked here a second time:
strings, comments and brackets are passed over, keys are noted.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path as FilePath
from typing import Any

Path = tuple[str | int, ...]
Lines = Mapping[Path, int]

NOWHERE: Lines = {}

_SPACE = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BLANK = re.compile(r"[ \t]*")
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"""(?:"{0,2})' + r"|'''.*?'''(?:'{0,2})" + r'|"(?:[^"\\\n]|\\.)*"' + r"|'[^'\n]*'", re.DOTALL
)
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(r"[^,\]\}#\n]+")


def lines(text: str) -> dict[Path, int]:
    """The line, from 1, of every key, item and table header, by path. What cannot be followed is left out."""
    scan = _Scan(text)
    # A line that is not known is no line; the problem is told all the same.
    with suppress(IndexError, ValueError, RecursionError):
        scan.document()
    return scan.found


def lines_in(file: str) -> Lines:
    """The same of a file; nothing where it cannot be read."""
    try:
        return lines(FilePath(file).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return NOWHERE


def line_of(path: Path, found: Lines) -> int:
    """The line of a key, or of the nearest thing around it; 0 where nothing is known."""
    for place in range(len(path), 0, -1):
        if path[:place] in found:
            return found[path[:place]]
    return 0


class _Scan:
    def __init__(self, text: str) -> None:
        self.found: dict[Path, int] = {}
        self._text = text
        self._at = 0
        self._counted = 0  # up to here lines are counted
        self._line = 1
        self._arrays: dict[Path, int] = {}  # tables of an array so far

    def document(self) -> None:
        """Headers, and what stands below each."""
        here: Path = ()
        while self._passed(_SPACE) and self._at < len(self._text):
            if self._text[self._at] == "[":
                here = self._header()
            else:
                self._pair(here)

    def _header(self) -> Path:
        line = self._now()
        several = self._text.startswith("[[", self._at)
        self._at += 2 if several else 1
        path: Path = ()
        keys = self._keys()
        for place, key in enumerate(keys):
            path = (*path, key)
            if several and place == len(keys) - 1:
                self._arrays[path] = self._arrays.get(path, -1) + 1
                self.found.setdefault(path, line)
            if path in self._arrays:
                path = (*path, self._arrays[path])
            self.found.setdefault(path, line)
        self._at += 2 if several else 1
        return path

    def _pair(self, here: Path) -> None:
        line = self._now()
        path = here
        for key in self._keys():
            path = (*path, key)
            self.found.setdefault(path, line)
        self._expect("=")
        self._passed(_BLANK)
        self._value(path)

    def _value(self, path: Path) -> None:
        opened = self._text[self._at]
        if opened in "[{":
            self._at += 1
            place = 0
            while True:
                self._passed(_SPACE)
                if self._text[self._at] in "]}":
                    self._at += 1
                    return
                if self._text[self._at] == ",":
                    self._at += 1
                elif opened == "{":
                    self._pair(path)
                else:
                    self.found.setdefault((*path, place), self._now())
                    self._value((*path, place))
                    place += 1
        elif opened in "\"'":
            self._matched(_STRING)
        else:
            self._matched(_SCALAR)

    def _keys(self) -> list[str]:
        keys = []
        while True:
            self._passed(_BLANK)
            keys.append(self._key())
            self._passed(_BLANK)
            if self._text[self._at] != ".":
                return keys
            self._at += 1

    def _key(self) -> str:
        if self._text[self._at] in "\"'":
            written = self._matched(_STRING)
            (name,) = tomllib.loads(f"{written} = 0")
            return str(name)
        return self._matched(_BARE)

    def _expect(self, character: str) -> None:
        if self._text[self._at] != character:
            raise ValueError(character)
        self._at += 1

    def _matched(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._at)
        if match is None or not match[0]:
            raise ValueError(pattern.pattern)
        self._at = match.end()
        return match[0]

    def _passed(self, pattern: re.Pattern[str]) -> bool:
        match: Any = pattern.match(self._text, self._at)
        self._at = match.end()
        return True

    def _now(self) -> int:
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line
