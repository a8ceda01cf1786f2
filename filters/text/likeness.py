"""Whether a letter that passes for another one stands for it, asked where a word was found.

Folding takes letters that look alike for the same, in every text (Unicode TR39; Katakana and Han; the forms of kana).
So an ordinary word of one script can fold to a word of another: Russian ``сор`` to ``cop``, Katakana ``ロ`` to Han.
Four questions part disguise from ordinary writing:

* **Mixed scripts** (TR39, section 5.1): a word some of whose letters are of the script it is written in, and some of
  another, is a disguise. Katakana passes for Han only where no other kana leans on it from outside.
* **Letters of one script are themselves.** в, б and ь all pass for b, and none for another of them: ``вот`` is not
  ``бот``.
* **A whole word of another script** (TR39, section 4.1, whole-script confusable) is one only in a text that holds,
  besides it, no letter of that script that passes for none of the word's: ``сор`` alone, or among Latin words, but not
  in a Russian sentence. Small letters of which only the capital looks Latin (в н т) make no such word: ``вот``.
* **One kana stands for the other as a whole run**: しね is シネ, and no part of シネマ, which is another word.

ー lengthens the vowel before it. A word in Hiragana has none of its own, so there it is an ornament (``ばーか``); a
word in Katakana is another one with it (``ビル``, ``ビール``), unless the text is in Hiragana or lengthens on and on.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Final

from filters.text.folding import Folded, Folder, Pieces
from filters.text.graphemes import LONG
from filters.text.tables import FoldTables

_VOICING: Final = "\uff9e\uff9f\u309b\u309c"
_HAN, _HIRAGANA, _KATAKANA, _KANA, _LATIN = "CJK", "HIRAGANA", "KATAKANA", "KANA", "LATIN"


def passes_for(folded: Folded, start: int, end: int, word: str) -> bool:
    """May the characters from ``start`` to before ``end`` of ``folded`` stand for ``word``, as its list has it?

    Both fold alike; the question is whether they look alike in earnest.
    """
    starts, ends, _ = folded.map
    text = folded.original
    stretch = text[starts[start] : ends[end - 1]]
    if stretch.isascii() and word.isascii():
        return True
    if stretch == word or (
        not any(char in LONG for char in word)
        and set(stretch) <= set(word)
        and not _passing(folded.folder.tables) & set(word)
    ):
        return _ends_alike(text, ends[end - 1], word)
    if _another_letter(folded.folder.tables, stretch, word):
        return False
    _, word_starts, word_ends, _ = _pieces(folded.folder, word)
    if len(word_starts) != end - start:
        return True  # with a foreign letter inside, which the list allows
    theirs = [script(word[place]) for place in word_starts]
    ours = [script(text[place]) for place in starts[start:end]]
    if not _kana_fit(text, starts[start:end], ours, theirs):
        return False
    if not _kana_alone(folded, starts[start], ends[end - 1], ours, theirs):
        return False
    if not _lengths_fit(folded, start, end, word, word_starts, word_ends, ours, theirs):
        return False
    wanted = {_broad(name) for name in theirs if name}
    there = {_broad(name) for name in ours if name}
    if not wanted or len(there) != 1 or there & wanted:
        return True
    foreign = there.pop()
    if any(ord(text[place]) in folded.folder.tables.borrowed for place in starts[start:end]):
        return False
    first_own, last_own = _own_places(folded, foreign, frozenset(wanted))
    return starts[start] <= first_own and last_own < ends[end - 1]


def writing(tables: FoldTables, word: str) -> str:
    """The letters of a word that pass for others: what two words that fold alike may still differ in, ``сор`` and
    ``cop``, ``вот`` and ``бот``. Empty for nearly every Latin or Han word."""
    others = passing(tables)
    return "" if others.isdisjoint(word) else "".join([_letter(char) for char in word if char in others])


@lru_cache(maxsize=8)
def passing(tables: FoldTables) -> frozenset[str]:
    """The letters that ``writing`` tells."""
    return _passing(tables) | frozenset(map(chr, tables.maps["kana"]))


@lru_cache(maxsize=8_192)
def script(char: str) -> str:
    """The first word of a letter's name, which says its script; empty for what is no letter."""
    plain = unicodedata.normalize("NFKC", char)[:1]
    name = unicodedata.name(plain, "").partition(" ")[0]
    if name == "KATAKANA-HIRAGANA":
        return _KATAKANA
    if unicodedata.category(plain or " ")[0] == "L" or name in (_HAN, "IDEOGRAPHIC"):
        return _HAN if name == "IDEOGRAPHIC" else name
    return ""


def _kana_fit(text: str, places: list[int], ours: list[str], theirs: list[str]) -> bool:
    """Where Han stands for kana or kana for Han: is it Katakana, and not the end of a longer Japanese word?"""
    alike = [
        place
        for place, (here, there) in enumerate(zip(ours, theirs, strict=True))
        if here != there and _HAN in (here, there) and _KANA in (_broad(here), _broad(there))
    ]
    for place in alike:
        if _HIRAGANA in (ours[place], theirs[place]):
            return False
        if ours[place] != _KATAKANA:
            continue
        for step, outside in ((-1, places[0] - 1), (1, places[-1] + 1)):
            at = place
            while 0 <= at < len(ours) and _broad(ours[at]) == _KANA:
                at += step
            if not 0 <= at < len(ours) and 0 <= outside < len(text) and _broad(script(text[outside])) == _KANA:
                return False
    return True


def _kana_alone(folded: Folded, start: int, end: int, ours: list[str], theirs: list[str]) -> bool:
    """Where one kana stands for the other: is it a whole run of that kana? しね is no part of シネマ, nor of マシね."""
    if not any(_swapped(here, there) for here, there in zip(ours, theirs, strict=True)):
        return True
    for step, outside in ((1, start - 1), (-1, end)):
        at = 0 if step == 1 else -1
        edge = ours[at]
        while -len(ours) <= at < len(ours) and ours[at] == edge:
            if _swapped(edge, theirs[at]):
                if _run_goes_on(folded, outside, -step, edge):
                    return False
                break
            at += step
    return True


def _swapped(here: str, there: str) -> bool:
    return here != there and _broad(here) == _broad(there) == _KANA


def _run_goes_on(folded: Folded, at: int, step: int, kana: str) -> bool:
    text = folded.original
    while 0 <= at < len(text) and (text[at] in LONG or text[at] in _VOICING or folded.folder.clings(text[at])):
        at += step
    return 0 <= at < len(text) and script(text[at]) == kana


def _lengths_fit(
    folded: Folded,
    start: int,
    end: int,
    word: str,
    word_starts: list[int],
    word_ends: list[int],
    ours: list[str],
    theirs: list[str],
) -> bool:
    """Does ー stand where it makes another word?"""
    if _KATAKANA not in theirs and not (len(theirs) == 1 and any(char in LONG for char in word)):
        return True
    starts, ends, _ = folded.map
    text = folded.original
    last = end - start - 1
    for place, name in enumerate(theirs):
        wanted = _long_at(word, word_ends[place], word_starts[place + 1] if place < last else len(word))
        at = start + place
        there = _long_at(text, ends[at], starts[at + 1] if place < last else len(text))
        if wanted and there < wanted:
            return False
        if name == ours[place] == _KATAKANA and not wanted and there == 1:
            return False
    return True


def _ends_alike(text: str, end: int, word: str) -> bool:
    return not (
        text[end : end + 1] in ("ー", "ｰ") and script(word[-1]) == _KATAKANA and _long_at(text, end, len(text)) == 1
    )


def _long_at(text: str, start: int, end: int) -> int:
    count = 0
    while start < end and text[start] in LONG:
        count += 1
        start += 1
    return count


def _own_places(folded: Folded, foreign: str, wanted: frozenset[str]) -> tuple[int, int]:
    """The first and the last letter of a script in the original that passes for none of the scripts ``wanted``; where
    there is none, places that lie in every stretch. Asked for each find, told once for a text."""
    key = (foreign, wanted)
    places = folded.known.get(key)
    if places is None:
        tables = folded.folder.tables
        own = {
            char
            for char in set(folded.original)
            if _broad(script(char)) == foreign and _is_own(tables, char, foreign, wanted)
        }
        there = [place for place, char in enumerate(folded.original) if char in own] if own else ()
        places = folded.known[key] = (there[0], there[-1]) if there else (len(folded.original), -1)
    return places


def _is_own(tables: FoldTables, char: str, name: str, wanted: frozenset[str]) -> bool:
    """Does a letter of script ``name`` pass for no letter of the scripts ``wanted``?"""
    if name == _KANA:
        return True
    if name == _HAN:
        return char not in _looks(tables, _KANA)
    if name == _LATIN:
        return not any(char.casefold() in _looks(tables, other) for other in wanted)
    return ord(char) not in tables.maps["lookalike"]


def _another_letter(tables: FoldTables, stretch: str, word: str) -> bool:
    """Does the text hold a letter that is none of the word's, and passes for the same Latin one as a letter that the
    word has of the same script?"""
    passing, looks = _passing(tables), tables.maps["lookalike"]
    own = {_letter(char) for char in word}
    return any(
        _letter(char) not in own
        and any(looks.get(ord(there)) == looks[ord(char)] and script(there) == script(char) for there in word)
        for char in set(stretch) & passing
    )


@lru_cache(maxsize=1_024)
def _letter(char: str) -> str:
    """Without case and marks, which others ask about."""
    return unicodedata.normalize("NFKD", char.casefold())[:1]


@lru_cache(maxsize=8)
def _passing(tables: FoldTables) -> frozenset[str]:
    """Letters that are not Latin and pass for Latin ones."""
    looks = tables.maps["lookalike"]
    return frozenset(char for code, look in looks.items() if look.isascii() and script(char := chr(code)) != _LATIN)


@lru_cache(maxsize=64)
def _looks(tables: FoldTables, name: str) -> frozenset[str]:
    """What the letters of a script pass for."""
    table = tables.maps["kana" if name == _KANA else "lookalike"]
    return frozenset(target for code, target in table.items() if _broad(script(chr(code))) == name)


@lru_cache(maxsize=256)
def _pieces(folder: Folder, word: str) -> Pieces:
    return folder.pieces(word)


def _broad(name: str) -> str:
    """Hiragana and Katakana write one language."""
    return _KANA if name in (_HIRAGANA, _KATAKANA) else name
