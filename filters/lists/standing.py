"""Does a word stand where the automaton found it?

The automaton reads folded text, in which every run of one character is one: so no word that stands in a text is ever
missed there, and many are found that do not stand. Each find is weighed here against the original, by these laws:

* **A plain word stands.** What is spelled as the word is spelled and has the borders that its script asks for is found,
  whatever stands beside it; its span is the word. A run that a neighbour shares is divided, not refused.
* **A disguise must evade.** Repeats, separators, marks and numbers also stand in innocent texts. Each has a rule that
  says when it counts (docs/word-lists.md gives them with examples; ``filters.lists.strictness`` the choices).

Nothing here is called for a text in which nothing was found.
"""

from __future__ import annotations

from typing import Final

from filters.lists.gaps import SHORT, Around, Gaps
from filters.lists.reasons import (
    FEWER,
    INSERTED,
    INSIDE_NUMBER,
    INSIDE_WORD,
    MARKS,
    NO_LETTER,
    REPEATS,
    SEPARATORS,
    STANDS,
)
from filters.lists.shape import Shape, is_han, pair
from filters.text.diacritics import diacritics
from filters.text.folding import Edge, Folded
from filters.text.graphemes import completes, is_sign, within_syllable
from filters.text.numerals import goes_on
from filters.text.signs import LINE_ENDS, has_space
from filters.text.spans import Span

_TOLD: Final = 64  # of a word of one character again and again, side by side; more are told as one
_REMEMBERED: Final = 512  # code points; a word has 128 at most


class Placed:
    """Where a word may stand: in ``spans``, or nowhere for ``reason``; then ``tried`` is what was looked at."""

    __slots__ = ("reason", "spans", "tried")

    def __init__(self, spans: list[Span], reason: str, tried: Span) -> None:
        self.spans = spans
        self.reason = reason
        self.tried = tried


def placed(folded: Folded, start: int, end: int, shape: Shape) -> Placed:
    """Where the word of ``shape`` stands within the folded characters from ``start`` to before ``end``."""
    if end - start != len(shape.text):
        return _with_inserted(folded, start, end, shape)
    if end - start == 1:
        return _in_one_run(folded, start, shape)
    return _Find(folded, start, end, shape).placed()


class _Find:
    """One find of a word with at least two runs. Places are those of ``Folder.spelling``; ``a`` and ``b`` bound a
    stretch of them, ``a`` inclusive."""

    __slots__ = ("end", "ends", "firsts", "folded", "head", "last", "shape", "start", "starts", "stop", "tail")

    def __init__(self, folded: Folded, start: int, end: int, shape: Shape) -> None:
        self.folded = folded
        self.shape = shape
        self.start = start
        self.end = end
        self.starts, self.ends, self.firsts = folded.spelling
        self.head = self.firsts[start]  # the first run is from here to before ``stop``
        self.stop = self.firsts[start + 1] if start + 1 < end else self.firsts[end]
        self.tail = self.firsts[end - 1]  # and the last from here to before ``last``
        self.last = self.firsts[end]

    def placed(self) -> Placed:
        shape = self.shape
        first, last = shape.counts[0], shape.counts[-1]
        a, b = self.stop - first, self.tail + last
        if a < self.head or b > self.last:
            return self._nowhere(self.head, self.last, FEWER)
        # What goes on beyond the word in the same run, with nothing between.
        ends, starts = self.ends, self.starts
        far_a, far_b = a, b
        while far_a > self.head and ends[far_a - 1] >= starts[far_a]:
            far_a -= 1
        while far_b < self.last and ends[far_b - 1] >= starts[far_b]:
            far_b += 1
        if shape.first == "letter":
            a = far_a
        if shape.last == "letter":
            b = far_b
        reason = self.fits(a, b)
        if reason == REPEATS and (a, b) != (self.head, self.last) and not self.fits(self.head, self.last):
            a, b, reason = self.head, self.last, STANDS
        if reason:
            return self._nowhere(a, b, reason)
        if shape.strict.repeats != "off" and (far_a < a or far_b > b):
            a, b = self._stretched(a, b, far_a, far_b)
        return Placed([(starts[a], ends[b - 1])], STANDS, (starts[a], ends[b - 1]))

    def _nowhere(self, a: int, b: int, reason: str) -> Placed:
        return Placed([], reason, (self.starts[a], self.ends[b - 1]))

    def _stretched(self, a: int, b: int, far_a: int, far_b: int) -> Span:
        """The runs at both ends belong to the word where it is repeated inside as well; where it is not, it stands
        there plainly, and what goes on beside it is a neighbour. A vowel sign is none."""
        text = self.shape.text
        inside = any(have > want for have, want in self._inner())
        if inside and not text[0].isdecimal():
            a = far_a
        if (inside and not text[-1].isdecimal()) or is_sign(text[-1]):
            b = far_b
        return a, b

    def _inner(self) -> list[tuple[int, int]]:
        firsts, counts, start = self.firsts, self.shape.counts, self.start
        return [
            (firsts[start + run + 1] - firsts[start + run], counts[run]) for run in range(1, len(self.shape.text) - 1)
        ]

    def fits(self, a: int, b: int) -> str:
        """Why what is spelled from ``a`` to before ``b`` is not the word; empty where it is."""
        shape = self.shape
        return (
            _border(self.folded, a, -1, shape.first)
            or _border(self.folded, b, 1, shape.last)
            or (_numbers(self.folded, a, b, shape) if shape.begins or shape.ends else STANDS)
            or (_syllables(self.folded, a, b, shape) if shape.syllabic else STANDS)
            or self._runs(a, b)
            or self._gaps(a, b)
            or (self._marks(a, b) if shape.marks is not None else STANDS)
            or (_letters(self.folded, a, b) if shape.lettered else STANDS)
        )

    def _runs(self, a: int, b: int) -> str:
        """May each run of letters stand for the word's? Never fewer than the word has."""
        shape = self.shape
        if b - a == shape.size:
            # As many in all: as many in each, unless one has fewer.
            for have, want in self._inner():
                if have < want:
                    return FEWER
            return STANDS
        counts = [self.stop - a, *[have for have, _ in self._inner()], b - self.tail]
        doubled = True
        for char, have, want in zip(shape.text, counts, shape.counts, strict=True):
            if have < want:
                return FEWER
            doubled = doubled and (have >= 2 * want or char.isdecimal())
        allowed = shape.strict.repeats
        if allowed == "all":
            return STANDS
        for run, char in enumerate(shape.text):
            have, want = counts[run], shape.counts[run]
            if have > want and (allowed == "off" or not self._repeats(run, char, have, doubled)):
                return REPEATS
        return STANDS

    def _repeats(self, run: int, char: str, have: int, doubled: bool) -> bool:
        """Is a longer run a repeat? Two numbers are two numbers, and doubled letters spell other words."""
        if char.isdecimal():
            return False
        if self.shape.own and self.shape.size <= SHORT and self.folded.folder.bounds(char):
            return False  # HH:MM:SS.mmm is no s&m
        if doubled or have >= 3:
            return True
        if self.folded.folder.bounds(char):
            return False
        if self.shape.size <= SHORT:
            return False
        at = self.firsts[self.start + run]
        return all(self.ends[at + step] >= self.starts[at + step + 1] for step in range(have - 1))

    def _gaps(self, a: int, b: int) -> str:
        """May what stands between the letters stand there?"""
        starts, ends = self.starts, self.ends
        if ends[b - 1] - starts[a] == b - a and not self.shape.own:
            return STANDS
        original, shape, text = self.folded.original, self.shape, self.shape.text
        gaps = Gaps(shape)
        word = 0  # the character of the word that the place stands for
        for run, want in enumerate(shape.counts):
            first = a if run == 0 else self.firsts[self.start + run]
            stop = b if run == len(text) - 1 else self.firsts[self.start + run + 1]
            inside = pair(self.folded.folder, text[run], text[run])
            for place in range(first, stop):
                if place + 1 == b:
                    break
                at = word + want - 1 if place + 1 == stop else word + min(place - first, want - 2)
                kind = inside if place + 1 < stop else pair(self.folded.folder, text[run], text[run + 1])
                own = shape.own.get(at) if place + 1 == stop or want > 1 else None
                gaps.add(kind, own, original[ends[place] : starts[place + 1]])
            word += want
        left, right = a == 0 or ends[a - 1] < starts[a], b == len(starts) or ends[b - 1] < starts[b]
        return gaps.reason(Around(original, starts[a], ends[b - 1], left, right))

    def _marks(self, a: int, b: int) -> str:
        """What the word has, the text must have; more is ornament."""
        shape, original, starts, ends = self.shape, self.folded.original, self.starts, self.ends
        assert shape.marks is not None
        exact = shape.strict.marks == "off"
        word = 0
        for run, want in enumerate(shape.counts):
            first = a if run == 0 else self.firsts[self.start + run]
            stop = b if run == len(shape.counts) - 1 else self.firsts[self.start + run + 1]
            for place in range(first, stop):
                wanted = shape.marks[word + min(place - first, want - 1)]
                there = diacritics(original[starts[place] : ends[place]])
                if there != wanted if exact else not wanted <= there:
                    return MARKS
            word += want
        return STANDS


def _in_one_run(folded: Folded, run: int, shape: Shape) -> Placed:
    """A word of one character, or of one character again and again: as often as it goes into each stretch without a
    gap, and in each window over gaps between stretches that are too short for it."""
    starts, ends, firsts = folded.spelling
    head, last = firsts[run], firsts[run + 1]
    size = shape.size
    find = _Find(folded, run, run + 1, shape)
    spans: list[Span] = []
    reason = FEWER
    tried = (starts[head], ends[last - 1])
    apart = head  # from here on no stretch holds the word
    a = head
    while a < last:
        b = a + 1
        while b < last and ends[b - 1] >= starts[b]:
            b += 1
        if b - a >= size:
            why = _stretch(find, a, b)
            if why:
                reason, tried = why, (starts[a], ends[b - 1])
            elif shape.first:
                spans.append((starts[a], ends[b - 1]))
            else:
                often = (b - a) // size
                step = size if often <= _TOLD else often * size
                spans += [(starts[at], ends[at + step - 1]) for at in range(a, b - step + 1, step)]
            if size > 1 and a - apart >= size:
                why, place = _windows(find, apart, a, spans)
                if why and reason == FEWER:
                    reason, tried = why, place
            apart = b
        a = b
    if size > 1 and last - apart >= size:
        why, place = _windows(find, apart, last, spans)
        if why and reason == FEWER:
            reason, tried = why, place
    return Placed(spans, STANDS if spans else reason, tried)


def _windows(find: _Find, head: int, last: int, spans: list[Span]) -> tuple[str, Span]:
    """Add to ``spans`` where the word stands over gaps between ``head`` and ``last``, and tell why it does not in the
    first place where it could."""
    folded, size = find.folded, find.shape.size
    starts, ends, _ = folded.spelling
    original = folded.original
    reason, tried = STANDS, (0, 0)
    known: dict[str, str] = {}  # a window with what stands on both sides: why it does not fit
    for a in range(head, last - size + 1):
        b = a + size
        first, stop = starts[a], ends[b - 1]
        find.stop = b
        # Long runs are the same window again and again. What clings is looked past, so it is no side.
        seen = "" if first == 0 or folded.folder.clings(original[first - 1]) else original[first - 1 : stop + 1]
        if len(seen) > _REMEMBERED or stop == len(original):
            seen = ""
        if seen in known:
            why = known[seen]
        else:
            why = find.fits(a, b)
            if seen:
                known[seen] = why
        if not why:
            spans.append((first, stop))
        elif not reason:
            reason, tried = why, (first, stop)
    return reason, tried


def _stretch(find: _Find, a: int, b: int) -> str:
    """Does a stretch of one character, with nothing between, hold the word?"""
    shape, folded, have = find.shape, find.folded, b - a
    if shape.first:
        why = _border(folded, a, -1, shape.first) or _border(folded, b, 1, shape.last)
        if why:
            return why
        if have > shape.size and (shape.first == "digit" or shape.strict.repeats != "all"):
            return INSIDE_NUMBER if shape.first == "digit" else REPEATS  # www is no ww
    why = _numbers(folded, a, b, shape) if shape.begins or shape.ends else STANDS
    if not why and shape.syllabic:
        why = _syllables(folded, a, b, shape)
    if why:
        return why
    if shape.own and shape.strict.separators == "off":
        return SEPARATORS
    if shape.marks is not None:
        exact = shape.strict.marks == "off"
        for place in range(a, b):
            wanted = shape.marks[min(place - a, shape.size - 1)]
            there = diacritics(folded.original[find.starts[place] : find.ends[place]])
            if there != wanted if exact else not wanted <= there:
                return MARKS
    return _letters(folded, a, b) if shape.lettered else STANDS


def _border(folded: Folded, place: int, step: int, wanted: Edge) -> str:
    """Does the word go on beyond its end, before ``place`` or from it on?"""
    if not wanted:
        return STANDS
    starts, ends, _ = folded.spelling
    folder = folded.folder
    there: Edge
    if 0 < place < len(starts) and starts[place - 1] == starts[place]:
        there = folder.bounds(_char(folded, place - 1 if step < 0 else place))  # within what one character folds to
    elif step < 0:
        there = folder.edge(folded.original, starts[place] - 1, -1)
    else:
        there = folder.edge(folded.original, ends[place - 1], 1)
    if there != wanted:
        return STANDS
    return INSIDE_WORD if wanted == "letter" else INSIDE_NUMBER


def _numbers(folded: Folded, a: int, b: int, shape: Shape) -> str:
    """Does a number at an end go on: 八年 in 十八年, 5毛 in 3.5毛?"""
    starts, ends, _ = folded.spelling
    text = folded.original
    if shape.begins:
        outer = starts[a] - 1
        while outer >= 0 and folded.folder.clings(text[outer]):
            outer -= 1
        if goes_on(text, starts[a], outer):
            return INSIDE_NUMBER
    return INSIDE_NUMBER if shape.ends and goes_on(text, starts[b - 1], ends[b - 1]) else STANDS


def _syllables(folded: Folded, a: int, b: int, shape: Shape) -> str:
    """Does a vowel sign make another syllable of the first or the last? ``กิน`` is not in ``กินี``."""
    starts, ends, _ = folded.spelling
    if b < len(starts) and starts[b - 1] == starts[b]:
        inside = completes(shape.text[-1], _char(folded, b))
    else:
        inside = within_syllable(folded.original, ends[b - 1])
    return INSIDE_WORD if inside or within_syllable(folded.original, starts[a]) else STANDS


def _char(folded: Folded, place: int) -> str:
    firsts = folded.spelling.firsts
    low, high = 0, len(firsts) - 1
    while high - low > 1:
        middle = (low + high) // 2
        if firsts[middle] <= place:
            low = middle
        else:
            high = middle
    return folded.text[low]


def _letters(folded: Folded, a: int, b: int) -> str:
    """Leetspeak: digits and signs alone are no word."""
    starts = folded.spelling.starts
    plain = folded.folder.without("leetspeak")
    for place in range(a, b):
        if any(map(str.isalpha, plain.single(folded.original[starts[place]]))):
            return STANDS
    return NO_LETTER


def _with_inserted(folded: Folded, start: int, end: int, shape: Shape) -> Placed:
    """A Han or Hangul word with one foreign letter or digit between two of its characters, nothing else between."""
    starts, ends, firsts = folded.spelling
    text = folded.text
    a, b = firsts[start + 1] - 1, firsts[end - 1] + 1
    tried = (starts[a], ends[b - 1])
    if shape.strict.inserted != "on" or ends[b - 1] - starts[a] != b - a:
        return Placed([], INSERTED, tried)
    word = 0
    foreign = False
    for run in range(start, end):
        count = 1 if run in (start, end - 1) else firsts[run + 1] - firsts[run]
        if word < len(shape.text) and text[run] == shape.text[word] and count == shape.counts[word]:
            word += 1
            foreign = False
        elif foreign or count > 1 or is_han(folded.original[starts[firsts[run]]]):
            return Placed([], INSERTED, tried)  # 一 is a digit to the folding, and a word to who reads 傻一逼
        else:
            foreign = True
    if word < len(shape.text):
        return Placed([], INSERTED, tried)
    return Placed([tried], STANDS, tried)


def allowed(folded: Folded, start: int, end: int, shape: Shape) -> list[Span]:
    """Where an allow phrase stands undisguised: spelled as it is, with nothing between its characters that is seen."""
    starts, ends, firsts = folded.spelling
    size = shape.size
    if end - start == 1:
        places = range(firsts[start], firsts[end] - size + 1)
    else:
        first = firsts[start + 1] - shape.counts[0]
        places = range(first, first + 1)
        if first < firsts[start] or firsts[end - 1] + shape.counts[-1] > firsts[end] or first + size > firsts[end]:
            return []
        for run in range(1, end - start - 1):
            if firsts[start + run + 1] - firsts[start + run] != shape.counts[run]:
                return []
    return [
        (starts[a], ends[a + size - 1])
        for a in places
        if all(
            _same_gap(folded.original[ends[a + at] : starts[a + at + 1]], shape.own.get(at, ""))
            for at in range(size - 1)
        )
        and (
            shape.marks is None
            or all(diacritics(folded.original[starts[a + at] : ends[a + at]]) == shape.marks[at] for at in range(size))
        )
    ]


def _same_gap(there: str, own: str) -> bool:
    """The same but for how wide a space is; a line's end is none."""
    if there == own:
        return True
    return (
        bool(there)
        and there.split() == own.split()
        and has_space(there) == has_space(own)
        and LINE_ENDS.isdisjoint(there)
    )
