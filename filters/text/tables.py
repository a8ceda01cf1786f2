"""The data that text is folded with, and the switches that say which of it a list uses."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace

from filters.model.errors import TidegateError

# Changes whenever ``filters.text.folding`` would fold some text otherwise with the same tables: part of every digest.
FOLDING_VERSION = 3

MAPS = (
    "width",
    "numbers",
    "styled",
    "compat",
    "marks",
    "case",
    "traditional",
    "variants",
    "kana",
    "lookalike",
    "leetspeak",
)
SECOND = "second"
SETS = ("invisible", "word", "spaced", "context", "borrowed")


class FoldTablesError(TidegateError, ValueError):
    """The bytes are no folding tables."""


@dataclass(frozen=True, slots=True)
class Switches:
    """Which foldings are on. The defaults are those of a word list.

    ``markup``: what the route says its platform undoes is undone before (``filters.text.markup``).
    ``width``: full-width and half-width forms. ``numbers``: digits of every style and script, 二 and 肆 included.
    ``styled``: mathematical, circled, squared letters and small capitals. ``compat``: the rest of NFKC. ``marks``:
    accents and points over letters. ``case``: full case folding. ``traditional``: to simplified, a character at a
    time. ``variants``: Han characters as others write them, radicals and Japanese forms. ``kana``: Hiragana, Katakana
    and the Han characters these pass for, lengthened or not. ``lookalike``: letters that pass for Latin ones, and
    the Arabic letters of several hands. ``invisible``: zero-width, bidi and other characters that
    show nothing, variation selectors. ``separators``: everything that is neither letter nor number, emoji included.
    ``repeats``: a run of one character is read as one. ``leetspeak``: 1d10t, off unless a list asks.
    """

    markup: bool = True
    width: bool = True
    numbers: bool = True
    styled: bool = True
    compat: bool = True
    marks: bool = True
    case: bool = True
    traditional: bool = True
    variants: bool = True
    kana: bool = True
    lookalike: bool = True
    leetspeak: bool = False
    invisible: bool = True
    separators: bool = True
    repeats: bool = True

    def changed(self, changes: Mapping[str, bool]) -> Switches:
        """With some switches set otherwise; raises ``KeyError`` for a name that is no switch."""
        for name in changes:
            if name not in SWITCHES:
                raise KeyError(name)
        return replace(self, **changes)

    def as_dict(self) -> dict[str, bool]:
        """By name, in the order in which the foldings apply."""
        return {name: getattr(self, name) for name in SWITCHES}


SWITCHES = tuple(field.name for field in fields(Switches))
WORDS = Switches()
# Links and numbers are read by their punctuation and their doubled letters; which of two look-alikes was meant is asked
# where a word was found, which a pattern has no word for.
PATTERNS = Switches(kana=False, separators=False, repeats=False)


class CodeSet:
    """Code points as sorted ranges."""

    __slots__ = ("_firsts", "_lasts")

    def __init__(self, ranges: Iterable[tuple[int, int]]) -> None:
        ordered = sorted(ranges)
        self._firsts = [first for first, _ in ordered]
        self._lasts = [last for _, last in ordered]

    def __contains__(self, code: int) -> bool:
        place = bisect_right(self._firsts, code) - 1
        return place >= 0 and code <= self._lasts[place]


class FoldTables:
    """Immutable. ``maps`` go from one code point to a text; ``digest`` names data and folding version together.
    ``second``: what can be read in two ways, with the other way; empty where it is an ornament then.
    ``borrowed``: small letters of which only the capital looks Latin."""

    __slots__ = ("borrowed", "context", "digest", "invisible", "maps", "second", "spaced", "word")

    def __init__(self, digest: str, maps: Mapping[str, Mapping[int, str]], sets: Mapping[str, CodeSet]) -> None:
        self.digest = digest
        self.maps = maps
        self.second = maps[SECOND]
        self.invisible = sets["invisible"]
        self.word = sets["word"]
        self.spaced = sets["spaced"]
        self.context = sets["context"]
        self.borrowed = sets["borrowed"]

    @classmethod
    def from_bytes(cls, data: bytes) -> FoldTables:
        """Read what ``tools/folding_tables.py`` writes: ``@map NAME`` and ``@set NAME`` sections of hexadecimal
        code points. Raises ``FoldTablesError`` with the line at fault."""
        maps: dict[str, dict[int, str]] = {}
        ranges: dict[str, list[tuple[int, int]]] = {}
        table: dict[int, str] = {}
        spans: list[tuple[int, int]] = []
        section = ""
        for number, line in enumerate(data.decode("ascii", "replace").splitlines(), 1):
            if line.startswith("#"):
                continue
            if line.startswith("@"):
                section, _, name = line.partition(" ")
                if section == "@map":
                    table = maps.setdefault(name, {})
                else:
                    spans = ranges.setdefault(name, [])
                continue
            try:
                codes = [int(code, 16) for code in line.split(" ")]
                if section == "@map":
                    table[codes[0]] = "".join(map(chr, codes[1:]))
                else:
                    spans.append((codes[0], codes[1]))
            except (ValueError, IndexError, OverflowError) as error:
                raise FoldTablesError(f"folding tables, line {number}: {type(error).__name__}") from None
        missing = [name for name in (*MAPS, SECOND) if name not in maps] + [name for name in SETS if name not in ranges]
        if missing:
            raise FoldTablesError(f"folding tables: no section {', '.join(missing)}")
        digest = hashlib.sha256(b"%d\n" % FOLDING_VERSION + data).hexdigest()
        return cls(digest, maps, {name: CodeSet(spans) for name, spans in ranges.items()})
