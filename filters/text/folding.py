"""Text folding: what different spellings of one word have in common, and the way back to the original.

The laws, each held by a test:

* **One character at a time.** ``fold`` is one walk through a table that composes every folding that is on, each
  character taken to its fixed point. So folding is idempotent, and a word and a text that look alike fold alike. Only
  what Unicode itself reads in context (Hangul letters, voicing marks, vowel signs) leaves that path: its cluster is
  normalised as a whole (UAX 15), which is slower and gives the same answer every time.
* **What can be read in two ways is read in both.** A symbol that holds a letter is that letter (🅘🅓🅘🅞🅣) or an ornament
  (idiot™), a capital has its own look or its small letter's (Ν). Such a text is folded twice, and the second reading
  stands behind the first, after ``AGAIN``, so that one search finds what is in either. Other texts have one.
* **The map back costs nothing until something is found.** ``Folded`` keeps the original and maps on the first question.
* **The original stretch is covered whole**: from the first character that gave something to the last, with every
  separator between and all marks of the last one. What shows nothing and stands behind it is no part of it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import lru_cache
from itertools import chain, compress, count, groupby
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from filters.model.errors import TidegateError
from filters.text.graphemes import LONG, SKIN_TONES, extends, is_kana
from filters.text.hangul import composed, is_leading, is_letter_vowel, is_vowel
from filters.text.signs import APOSTROPHES
from filters.text.tables import MAPS, FoldTables, Switches

if TYPE_CHECKING:
    from mypy_extensions import i64  # where this is compiled, characters are counted and compared as machine words

TEXT_MAX: Final = 4_096  # code points of judged text, by default
FOLDED_MAX: Final = 4 * TEXT_MAX  # folding can lengthen it
AGAIN: Final = "\x1f"  # between the two readings of one text; in no folded text, for it is invisible

_CONTEXT: Final = "\0"  # stands in the table for what is not folded alone, or in two ways; in no folded text
_KEYCAP: Final = 0x20E3  # encloses the digit before it
_CACHED_MAX: Final = 1 << 16  # characters; a text of rarer ones is folded without being remembered
_CLUSTER_MAX: Final = 32  # a base and thirty marks (UAX 15, stream-safe text); what else clings to it is ornament
_ROUNDS: Final = 8  # more than any chain of foldings in the tables; a bound, so that bad data cannot hang
_PLAIN: Final = (range(0x21, 0x7F), range(0x4E00, 0xA000))  # where characters are looked for that fold to themselves

_parted = re.compile(r"(.)\1+", re.DOTALL).split  # joined again, it is the text without repeats
_VOICING: Final = {0x309B: 0x3099, 0x309C: 0x309A}  # on their own they are a space with the mark; は゛ is ば to the eye

Edge = Literal["letter", "digit", ""]
Pieces = tuple[str, list[int], list[int], list[int]]


class FoldBound(TidegateError, ValueError):
    """The folded text is longer than its bound."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"folded text exceeds {limit} code points")
        self.limit = limit


class Step(NamedTuple):
    """One line of a trail: the text as it stands once ``folding`` is on as well."""

    folding: str
    text: str


class Spelling(NamedTuple):
    """A folded text before repeats are squeezed, by places in the original: where the stretch of each character begins
    and ends, and with which character each run begins that the folded text has one of. The last of ``firsts`` is the
    number of characters."""

    starts: list[int]
    ends: list[int]
    firsts: list[int]


class Folder:
    """Folds for one set of switches. Immutable but for its cache of characters, which is bounded."""

    __slots__ = ("_changing", "_cluster", "_layers", "_plain", "_table", "squeezes", "switches", "tables")

    def __init__(self, tables: FoldTables, switches: Switches) -> None:
        self.tables = tables
        self.switches = switches
        self.squeezes = switches.repeats
        self._layers = tuple(tables.maps[name] for name in MAPS if getattr(switches, name))
        self._table = _Table(self)
        self._plain = b""
        self._changing: Callable[[Callable[[re.Match[str]], str], str], str] | None = None
        self._cluster = lru_cache(maxsize=4096)(self._fold_cluster)

    def prepare(self) -> None:
        """Learn which characters fold to themselves, so that text of them is not looked up in the table.

        Takes some 50 ms: for a folder that reads every message. Only ASCII and the common Han characters are looked
        for; a character is left out where any layer knows it, so the answers stay those of the table.
        """
        if self._plain:
            return
        same = set(chain(*_PLAIN))
        same.difference_update(*self._layers)
        context = self.tables.context if self.switches.compat else ()
        plain = bytearray(_PLAIN[-1].stop)
        for code in same:
            plain[code] = self._keeps(code) and code not in context
        self._plain = bytes(plain)
        self._changing = re.compile(f"[^{_class(compress(count(), plain))}]+").sub

    def text(self, text: str, limit: int = FOLDED_MAX) -> str:
        """The folded text alone, in both readings where there are two: what is done to every message. Raises
        ``FoldBound``, where the first is too long."""
        if len(text) > limit:
            raise FoldBound(limit)
        folded = self._passed(text) if _INTERPRETED else self._walked(text)
        if folded is None:
            folded = self.readings(text)[0]
        if len(folded) > limit and len(first_reading(folded)) > limit:
            raise FoldBound(limit)
        return folded

    def _passed(self, text: str) -> str | None:
        """``text`` folded in passes that the standard library makes in C: for an interpreter, to which each step of a
        walk costs more than a pass. None where something of it is not folded alone, or in two ways.

        The table is asked once for each character of ASCII that occurs, of other texts for the stretches that change.
        """
        changing = self._changing
        folded = text.translate(self._table) if changing is None or text.isascii() else changing(self._changed, text)
        if _CONTEXT in folded:
            return None
        return "".join(_parted(folded)) if self.squeezes else folded

    def _changed(self, stretch: re.Match[str]) -> str:
        return stretch[0].translate(self._table)

    def _walked(self, text: str) -> str | None:
        """The same in one walk over the characters: for machine code, in a fourth of the time that passes take."""
        plain = self._plain
        table = self._table
        squeezes = self.squeezes
        known: i64 = len(plain)
        size: i64 = len(text)
        at: i64 = 0
        stays: i64 = 0  # from here to ``at`` the text goes on as it is
        last: i64 = -1  # the code point that was given last
        code: i64
        pieces: list[str] = []
        while at < size:
            code = ord(text[at])
            folded: str | None = None
            if code < known and plain[code]:
                if code != last or not squeezes:
                    last = code
                    at += 1
                    continue
            else:
                folded = table[code]
            if stays < at:
                pieces.append(text[stays:at])
            at += 1
            stays = at
            if folded is None:
                continue
            if folded == _CONTEXT:
                return None
            for char in folded:
                code = ord(char)
                if code != last or not squeezes:
                    pieces.append(char)
                    last = code
        return "".join([*pieces, text[stays:]]) if stays else text

    def without(self, switch: str) -> Folder:
        """The folder that leaves one folding out."""
        return folder(self.tables, self.switches.changed({switch: False}))

    def word(self, text: str) -> str:
        """The first reading alone: how the words of lists are folded, and texts for fingerprints."""
        return first_reading(self.text(text))

    def spelled(self, text: str) -> str:
        """The folded text before repeats are squeezed."""
        folded = text.translate(self._table)
        if _CONTEXT in folded:
            chars, _, _, counts = self.pieces(text)
            folded = "".join([char * count for char, count in zip(chars, counts, strict=True)])
        return folded

    def fold(self, text: str, limit: int = FOLDED_MAX) -> Folded:
        """The folded text with its way back. Raises ``FoldBound``."""
        return Folded(text, self.text(text, limit), self)

    def readings(self, text: str) -> Pieces:
        """``pieces`` of both readings, one behind the other, where there are two."""
        return self._pieces(self._both(text))

    def pieces(self, text: str) -> Pieces:
        """The definition of folding, in the slow form that knows where each character came from: the first reading.

        Returns the folded text and, for each of its characters, where the original begins and ends that it stands
        for, and how many like it stood there before repeats were squeezed.
        """
        return self._pieces(self._units(text))

    def _pieces(self, units: list[tuple[int, int, str]]) -> Pieces:
        chars: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        counts: list[int] = []
        squeezes = self.squeezes
        for start, end, folded in units:
            for char in folded:
                if squeezes and chars and chars[-1] == char:
                    ends[-1] = end
                    counts[-1] += 1
                else:
                    chars.append(char)
                    starts.append(start)
                    ends.append(end)
                    counts.append(1)
        return "".join(chars), starts, ends, counts

    def spelling(self, text: str, both: bool = False) -> Spelling:
        """Each character of the folded text as often as it stood there, and which run of the folded text it is in;
        of the first reading, or of both."""
        starts: list[int] = []
        ends: list[int] = []
        firsts: list[int] = []
        squeezes = self.squeezes
        last = ""
        for start, end, folded in self._both(text) if both else self._units(text):
            for char in folded:
                if not squeezes or char != last:
                    firsts.append(len(starts))
                    last = char
                starts.append(start)
                ends.append(end)
        firsts.append(len(starts))
        return Spelling(starts, ends, firsts)

    def clings(self, char: str) -> bool:
        """Is it part of the character before it: a mark over it, or nothing that is seen? Spacing signs are none."""
        code = ord(char)
        return code in self.tables.invisible or (code in self.tables.context and unicodedata.category(char)[0] == "M")

    def _both(self, text: str) -> list[tuple[int, int, str]]:
        """The units of both readings. What stands between them begins behind every other and ends before it, so that it
        touches neither."""
        first = self._units(text)
        if not any(self._other(ord(char)) is not None for char in text):
            return first
        second = self._units(text, again=True)
        return [*first, (len(text) + 1, -1, AGAIN), *second] if second and second != first else first

    def _units(self, text: str, again: bool = False) -> list[tuple[int, int, str]]:
        """What folds together: start and end in the original, with what shows nothing at the end, and the folding.
        ``again``: what can be read in two ways is read the other way."""
        table, clings = self._table, self.clings
        units: list[list[Any]] = []  # start, end, original without what was dropped, folded; None until it is known
        for place, char in enumerate(text):
            code = ord(char)
            folded = table[code]
            if (other := self._other(code)) is not None:
                if again and code == _KEYCAP and units and units[-1][1] == place and _is_digit(units[-1][2]):
                    units.pop()
                    continue
                folded = self.single(other if again else char)
            if folded == _CONTEXT:
                if not units or (is_vowel(char) and not is_leading(units[-1][2][-1:])):
                    units.append([place, place, "", None])
                unit = units[-1]
                unit[1] = place + 1
                unit[3] = None
                if len(unit[2]) < _CLUSTER_MAX:
                    unit[2] += char
            elif folded:
                units.append([place, place + 1, char, folded])
            elif units and units[-1][1] == place and clings(char):
                units[-1][1] = place + 1
        letters = [folded is None and any(map(is_letter_vowel, raw)) for _, _, raw, folded in units]
        found = [(start, end, self._cluster(raw) if folded is None else folded) for start, end, raw, folded in units]
        return composed(found, letters) if self.switches.compat and any(letters) else found

    def trail(self, text: str) -> tuple[Step, ...]:
        """What each folding does to ``text``, one switch after the other; foldings that change nothing are left out.

        The last step is ``word(text)``. For people, not for the hot path.
        """
        steps = []
        before = text
        on = dict.fromkeys(self.switches.as_dict(), False)
        for name, wanted in self.switches.as_dict().items():
            if not wanted:
                continue
            on[name] = True
            after = folder(self.tables, Switches(**on)).word(text)
            if after != before:
                steps.append(Step(name, after))
            before = after
        return tuple(steps)

    def edge(self, text: str, place: int, step: Literal[1, -1]) -> Edge:
        """What the original shows at ``place``, looking on in ``step`` past what shows nothing.

        A letter of a script that parts words with spaces, a digit, or something that ends a word. A symbol that holds
        a letter is no neighbour, except of its own kind: 🅘 in 🅒🅘🅣🅨, but not in idiot🅘 or 🇺🇸idiot.
        """
        inner = place - step
        while 0 <= place < len(text):
            code = ord(text[place])
            if not self.clings(text[place]):
                kind = self._symbol(text, place)
                if kind:
                    while 0 <= inner < len(text) and self.clings(text[inner]):
                        inner -= step
                    if not 0 <= inner < len(text) or self._symbol(text, inner) != kind:
                        return ""
                elif 0x3041 <= code <= 0x30FF or 0xFF66 <= code <= 0xFF9F:
                    return ""  # は passes for 八, and that for 8
                if text[place] in APOSTROPHES or (code < 128 and not text[place].isalnum()):
                    return ""  # leetspeak reads "!" as a letter, but it still ends a word
                if 0x3400 <= code <= 0x9FFF or code >= 0x20000:
                    return ""  # a numeral such as 二 bounds no number written in digits
                shown = self.single(text[place])[::step][:1]
                if not shown:
                    return ""
                return "digit" if text[place].isdecimal() else self.bounds(shown)
            place += step
        return ""

    def _symbol(self, text: str, place: int) -> int:
        """Which kind of symbol with a letter or digit stands there: a flag's letter, a keycap, another; 0 for none."""
        code = ord(text[place])
        if 0x1F1E6 <= code <= 0x1F1FF:
            return 1
        if code < 128:
            after = text[place + 1 : place + 3].lstrip("\ufe0f")
            return 2 if after and ord(after[0]) == _KEYCAP else 0
        return 3 if self.tables.second.get(code) == "" else 0

    def _other(self, code: int) -> str | None:
        """The other way to read a character, where there is one for these switches."""
        other = self.tables.second.get(code)
        if other is None or not self.switches.separators:
            return None
        if other and not (self.switches.kana if code in self.tables.maps["kana"] else self.switches.lookalike):
            return None
        return other

    def bounds(self, char: str) -> Edge:
        """What a folded character is at the edge of a word: letters bound letters, digits bound digits."""
        if char.isdecimal():
            return "digit"
        return "letter" if ord(char) in self.tables.spaced else ""

    def single(self, char: str) -> str:
        """One character to its fixed point, as if it stood alone."""
        folded = char
        for _ in range(_ROUNDS):
            before = folded
            for layer in self._layers:
                if len(folded) == 1:
                    folded = layer.get(ord(folded), folded)
                else:
                    folded = "".join([layer.get(ord(part), part) for part in folded])
            if folded == before:
                break
        return "".join([part for part in folded if self._keeps(ord(part))])

    def _keeps(self, code: int) -> bool:
        if code == 0 or 0xD800 <= code <= 0xDFFF:
            return False  # no text: NUL marks clusters here, and the automaton reads UTF-8
        if self.switches.invisible and code in self.tables.invisible:
            return False
        return not self.switches.separators or code in self.tables.word

    def _entry(self, code: int) -> str | None:
        folded = self.single(chr(code))
        if self._other(code) is not None:
            return _CONTEXT
        if folded and self.switches.compat and code in self.tables.context:
            return _CONTEXT
        return folded or None

    def _fold_cluster(self, raw: str) -> str:
        """A base and what leans on it, to their fixed point together."""
        folded = raw.translate(_VOICING) if self.switches.compat else raw
        for _ in range(_ROUNDS):
            before = folded
            folded = "".join([self.single(part) for part in unicodedata.normalize("NFKC", folded)])
            if self.switches.marks and folded and _takes_no_marks(folded[0]):
                folded = "".join([part for part in folded if not unicodedata.category(part).startswith("M")])
            if folded == before:
                break
        return folded


@lru_cache(maxsize=32)
def folder(tables: FoldTables, switches: Switches) -> Folder:
    """The folder of these switches, one for all lists that share them."""
    return Folder(tables, switches)


class Folded:
    """A folded text, in both readings where there are two, and the way back. Positions are code points."""

    __slots__ = ("_map", "_spelling", "folder", "known", "original", "text")

    def __init__(self, original: str, text: str, folder: Folder) -> None:
        self.original = original
        self.text = text
        self.folder = folder
        self._map: tuple[list[int], list[int], list[int]] | None = None
        self._spelling: Spelling | None = None
        self.known: dict[Any, Any] = {}  # what ``filters.text.likeness`` found out about the whole text

    @property
    def map(self) -> tuple[list[int], list[int], list[int]]:
        """For each folded character: start and end of its original, and how many like it stood there."""
        if self._map is None:
            self._map = self.folder.readings(self.original)[1:]
        return self._map

    @property
    def spelling(self) -> Spelling:
        """See ``Folder.spelling``."""
        if self._spelling is None:
            self._spelling = self.folder.spelling(self.original, both=True)
        return self._spelling

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The stretch of the original that the folded characters from ``start`` to before ``end`` stand for."""
        starts, ends, _ = self.map
        return starts[start], ends[end - 1]

    def covered(self, start: int, end: int) -> tuple[int, int]:
        """The stretch as it is masked: up to what is seen last, the mark that lengthens kana included. An emoji keeps
        what selects its form, and its skin tone; behind a letter the first shows nothing."""
        text, folder = self.original, self.folder
        if folder.switches.invisible:
            invisible, whole = folder.tables.invisible, end
            while end > start + 1 and ord(text[end - 1]) in invisible:
                end -= 1
            if end < whole and unicodedata.category(text[end - 1])[0] == "S":
                while end < whole and extends(text[end]):
                    end += 1
        if text[end : end + 1] in SKIN_TONES and unicodedata.category(text[end - 1]) == "So":
            end += 1
        if folder.switches.kana and end < len(text) and text[end] in LONG and is_kana(text[end - 1]):
            while end < len(text) and text[end] in LONG:
                end += 1
        return start, end

    @property
    def trail(self) -> tuple[Step, ...]:
        """See ``Folder.trail``."""
        return self.folder.trail(self.original)


class _Table(dict[int, str | None]):
    """Maps a code point to its folding; None deletes. Fills itself, so that starting costs nothing."""

    __slots__ = ("_folder",)

    def __init__(self, folder: Folder) -> None:
        super().__init__()
        self._folder = folder

    def __missing__(self, code: int) -> str | None:
        entry = self._folder._entry(code)
        if len(self) < _CACHED_MAX:
            self[code] = entry
        return entry


def _class(codes: Iterable[int]) -> str:
    """What stands in the brackets of a regular expression for these characters, given in order."""
    runs = [[code for _, code in run] for _, run in groupby(enumerate(codes), lambda place: place[1] - place[0])]
    return "".join(f"{re.escape(chr(run[0]))}-{re.escape(chr(run[-1]))}" for run in runs)


def first_reading(folded: str) -> str:
    return folded.partition(AGAIN)[0] if AGAIN in folded else folded


_INTERPRETED: Final = hasattr(first_reading, "__code__")


def _is_digit(text: str) -> bool:
    return len(text) == 1 and "0" <= text <= "9"


def _takes_no_marks(char: str) -> bool:
    """ASCII letters, digits and Han: a vowel sign of another script on one of them is an ornament."""
    return (char.isascii() and char.isalnum()) or "\u3400" <= char <= "\u9fff"
