"""Which signs of a text are Markdown, and where each ends: the inline part of CommonMark 0.31, in one pass.

Answered are the places of signs that a reader does not see: backslashes, backticks, the stars and underscores of
emphasis, the brackets of links and images with their targets, the brackets of autolinks. Blocks (headings, lists,
quotes) are left as they stand: their signs part words anyway.

Emphasis is what CommonMark's delimiter runs pair up to; where a run closes only in part, whole runs are paired here.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final, NamedTuple

from filters.text.spans import Span

ESCAPABLE: Final = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
_SIGNS: Final = re.compile(r"\\|`+|\*+|_+|~~|!?\[|\]|<")
_AUTOLINK: Final = re.compile(r"<([A-Za-z][A-Za-z0-9+.-]{1,31}:[^\s<>]{0,2000}|[^\s<>@]{1,64}@[A-Za-z0-9.-]{1,255})>")
_TARGET: Final = re.compile(
    r"""\(\s{0,8}(<[^<>\n]{0,2000}>|(?:[^\s()\\<]|\\.|\((?:[^\s()\\]|\\.|\([^\s()]{0,200}\)){0,500}\)){0,2000})"""
    r"""(?:\s{1,8}("[^"]{0,1000}"|'[^']{0,1000}'|\([^()]{0,1000}\)))?\s{0,8}\)"""
)
_DEFINITION: Final = re.compile(
    r"""^( {0,3}|[ >*+.)\d-]{1,16})\[([^\[\]\n]{1,200})\]:[ \t]*(<[^<>\n]{0,2000}>|\S{1,2000})"""
    r"""(?:[ \t]+("[^"\n]{0,1000}"|'[^'\n]{0,1000}'|\([^()\n]{0,1000}\)))?[ \t]*$""",
    re.MULTILINE,
)
_LABEL: Final = re.compile(r"\[([^\[\]\n]{0,200})\]")
_FAILURES: Final = 64  # brackets with what is no target behind them; from then on no link is looked for
_OPEN_MAX: Final = 1_000  # brackets that wait for their end

Mark = tuple[int, tuple[Span, ...]]
"""Where the sign ends, and what of it is read though it is not seen. Negative: code up to there, which stays."""
Marks = dict[int, Mark]


class _Run(NamedTuple):
    start: int
    end: int
    opens: bool
    closes: bool


def marks_of(text: str) -> Marks:
    """Every sign by where it begins; they do not overlap, and stand in no order."""
    marks: Marks = {}
    defined: set[str] = set()
    if "]:" in text:
        ended = 0  # where the definition on the line before ends
        for line in _DEFINITION.finditer(text):
            defined.add(_label(line[2]))
            start = line.start()
            if line[1].strip() or not (start == ended or _is_blank_before(text, start)):
                continue  # in a quotation or a list it stays as it stands, and within a paragraph it is text
            ended = line.end() + 1
            marks[start] = (line.end(), tuple([line.span(group) for group in (2, 3, 4) if line[group]]))
    runs: dict[str, list[_Run]] = {"*": [], "_": [], "~": []}
    brackets: list[tuple[int, int]] = []
    ticks = _ticks(text)
    failures = 0
    place = 0
    while match := _SIGNS.search(text, place):
        start, end = match.span()
        place = end
        sign = text[start]
        if start in marks:
            place = marks[start][0]
        elif sign == "\\":
            if text[end : end + 1] in ESCAPABLE:
                marks[start] = (end, ())
                marks[end] = (-(end + 1), ())
                place = end + 1
        elif sign == "`":
            closing = ticks.get(end - start)
            while closing and closing[-1] <= start:
                closing.pop()
            if closing:
                last = closing.pop()
                marks[start] = (end, ())
                if end < last:
                    marks[end] = (-last, ())
                marks[last] = (last + end - start, ())
                place = last + end - start
        elif sign in runs:
            runs[sign].append(_run(text, start, end))
        elif sign == "<":
            if link := _AUTOLINK.match(text, start):
                marks[start] = (end, ())
                marks[link.end() - 1] = (link.end(), ())
                place = link.end()
        elif sign != "]":
            if len(brackets) < _OPEN_MAX:
                brackets.append((start, end))
        elif brackets:
            opening = brackets.pop()
            behind = text[end : end + 1]
            if behind == "(" and failures < _FAILURES:
                if target := _TARGET.match(text, end):
                    hidden = tuple(target.span(group) for group in (1, 2) if target[group])
                    marks[opening[0]] = (opening[1], ())
                    marks[start] = (target.end(), hidden)
                    place = target.end()
                else:
                    failures += 1
            elif defined and end - opening[1] <= 1_000:
                label = _LABEL.match(text, end)
                name = label[1] if label and label[1] else text[opening[1] : start]
                if _label(name) in defined:
                    marks[opening[0]] = (opening[1], ())
                    marks[start] = (label.end() if label else end, ())
                    place = label.end() if label else end
    for same in runs.values():
        for run in _paired(same):
            marks.setdefault(run.start, (run.end, ()))
    return marks


def _label(name: str) -> str:
    return " ".join(name.casefold().split())


def _is_blank_before(text: str, place: int) -> bool:
    """Does the text begin at ``place``, or a line behind one without anything?"""
    return place == 0 or not text[text.rfind("\n", 0, place - 1) + 1 : place].strip()


def _ticks(text: str) -> dict[int, list[int]]:
    """The places of runs of backticks by their length, the first last."""
    found: dict[int, list[int]] = {}
    for match in re.finditer("`+", text):
        found.setdefault(match.end() - match.start(), []).append(match.start())
    for places in found.values():
        places.reverse()
    return found


def _run(text: str, start: int, end: int) -> _Run:
    """Flanking as CommonMark has it (section 6.2): Han on both sides is no space and no punctuation, so both."""
    before, after = text[start - 1 : start] or " ", text[end : end + 1] or " "
    left = not after.isspace() and (not _is_punctuation(after) or before.isspace() or _is_punctuation(before))
    right = not before.isspace() and (not _is_punctuation(before) or after.isspace() or _is_punctuation(after))
    if text[start] != "_":
        return _Run(start, end, left, right)
    return _Run(
        start, end, left and (not right or _is_punctuation(before)), right and (not left or _is_punctuation(after))
    )


def _paired(runs: list[_Run]) -> list[_Run]:
    found: list[_Run] = []
    waiting: list[_Run] = []
    for run in runs:
        if run.closes and waiting:
            found += (waiting.pop(), run)
        elif run.opens:
            waiting.append(run)
    return found


def _is_punctuation(char: str) -> bool:
    return unicodedata.category(char)[0] in "PS"
