"""Words whose signs count: ``C#``, ``.net``, ``18+``, a line of emoji.

Folding takes signs away, from the word and from the text, and for most words that is right: ``网.上-赌★博`` is
``网上赌博``. Of some words it leaves too little: ``C#`` would deny every ``c`` that stands alone. Such words are a list
of their own inside the list, folded with the signs left in; it costs a text another fold, where there are such words.

A word keeps its signs where its line says so (``| signs on``, ``@signs on``). Where the line says nothing, it does if

* nothing but emoji stands in it: ``🖕``, a flag;
* one character would be left of it: ``C#``, ``+V``;
* letters or digits of scripts with spaces, three at most, would be left, and a sign stands at their edge: ``.net``,
  ``18+``, ``C++``. Quotation marks, brackets and the end of a sentence are no such sign: ``"sex"`` is ``sex``.

A compound keeps the signs of all of its parts where one of them needs it.
"""

from __future__ import annotations

import re
import unicodedata

from filters.lists.listsource import Entry, ParsedList
from filters.text.folding import Folder, folder
from filters.text.tables import FoldTables, Switches

SHORT = 3  # letters or digits that are too few to do without a sign at their edge
# Emoji=Yes of UTS #51 (emoji-data.txt 15.1) below U+1F000, without digits, # and *; above it, every symbol is taken.
_EMOJI = re.compile(
    "[©®‼⁉™ℹ↔-↙↩↪⌚⌛⌨⏏⏩-⏳⏸-⏺Ⓜ▪▫▶◀◻-◾☀-☄☎☑☔☕☘☝☠☢☣☦☪☮☯☸-☺♀♂♈-♓♟♠♣♥♦♨♻♾♿⚒-⚗⚙⚛⚜⚠⚡⚧⚪⚫⚰⚱⚽⚾⛄⛅⛈⛎⛏⛑⛓⛔⛩⛪"
    "⛰-⛵⛷-⛺⛽✂✅✈-✍✏✒✔✖✝✡✨✳✴❄❇❌❎❓-❕❗❣❤➕-➗➡➰➿⤴⤵⬅-⬇⬛⬜⭐⭕〰〽㊗㊙]"
).fullmatch
_WRAPPING = ("Ps", "Pe", "Pi", "Pf")
_QUOTES = "\"'`"
_ENDS = ".,!?;:。，！？；：、…"
_JOINING = " -‐‑_'’.·・&/"  # between the words of a name: folded away without a word


def switches_of(switches: Switches) -> Switches:
    """How words are folded whose signs count. Letters and symbols that hold letters stay two things here."""
    return switches.changed({"separators": False, "repeats": False, "styled": False})


def parted(parsed: ParsedList, tables: FoldTables) -> list[ParsedList]:
    """The list without the words whose signs count, and, where there are such, a list of those.

    What a word loses is told in ``parsed.notices``. Allow phrases stand in both: which words they excuse depends on
    neither.
    """
    if parsed.kind == "patterns" or not parsed.switches.separators:
        return [parsed]
    reader = folder(tables, parsed.switches)
    others: list[Entry] = []
    kept: list[Entry] = []
    allowed: list[Entry] = []
    for entry in parsed.entries:
        source = entry.source
        if entry.allow:
            allowed.append(entry)
        elif entry.signs is None and (source.isalnum() or source.replace(" ", "").isalnum()):
            others.append(entry)
            if len(source) > 1 and source.count(source[0]) == len(source) and len(left := reader.text(source)) == 1:
                parsed.note(entry.line, *_one(left))
        elif keeps_signs(entry, reader):
            kept.append(entry if entry.whole is not None else entry._replace(whole=True))
            _note_kept(parsed, entry, reader)
        else:
            others.append(entry)
            _note_lost(parsed, entry, reader)
    if not kept:
        return [parsed]
    lettered = [entry for entry in allowed if reader.text(entry.parts[0])]
    return [
        _part(parsed, parsed.switches, [*others, *lettered]),
        _part(parsed, switches_of(parsed.switches), [*kept, *allowed]),
    ]


def _part(parsed: ParsedList, switches: Switches, entries: list[Entry]) -> ParsedList:
    entries.sort(key=lambda entry: entry.line)
    return ParsedList(parsed.name, parsed.kind, switches, strict=parsed.strict, entries=entries)


def keeps_signs(entry: Entry, reader: Folder) -> bool:
    """Must the signs of this word stand in the text too? ``reader`` folds as its list does."""
    parts = (*entry.parts, *entry.refused)
    if entry.signs is not None:
        return entry.signs and any(_signs(part, reader) for part in parts)
    return any(_needs_signs(part, reader) for part in parts)


def _needs_signs(part: str, reader: Folder) -> bool:
    shown = [char for char in part if not char.isspace() and ord(char) not in reader.tables.invisible]
    if shown and all(map(_is_emoji, shown)):
        return True
    left = reader.text(part)
    if not left or not _signs(part, reader):
        return False
    if len(left) == 1:
        return True
    if len(left) > SHORT or not all(map(reader.bounds, left)):
        return False
    return _parts_edge(shown[0], reader, "") or _parts_edge(shown[-1], reader, _ENDS)


def _is_emoji(char: str) -> bool:
    if char >= "\U0001f000":
        return unicodedata.category(char) in ("So", "Sk")
    return _EMOJI(char) is not None


def _parts_edge(char: str, reader: Folder, ends: str) -> bool:
    wraps = unicodedata.category(char) in _WRAPPING or char in _QUOTES or char in ends
    return not wraps and _is_sign(char, reader)


def _is_sign(char: str, reader: Folder) -> bool:
    return unicodedata.category(char)[0] in "PS" and not reader.single(char)


def _signs(part: str, reader: Folder) -> list[str]:
    """What a person sees of the word and folding takes away."""
    return [char for char in part if not char.isspace() and _is_sign(char, reader)]


def _one(left: str) -> tuple[str, str]:
    return f"folds to {left}, one character", "is that meant? It is found often"


def _note_kept(parsed: ParsedList, entry: Entry, reader: Folder) -> None:
    left = " & ".join(reader.text(part) for part in (*entry.parts, *entry.refused))
    if entry.signs is None and left:
        parsed.note(
            entry.line,
            f"is found only where its signs stand too: without them it is {left}",
            "write | signs off to leave them out, | signs on to say that they count",
        )


def _note_lost(parsed: ParsedList, entry: Entry, reader: Folder) -> None:
    if entry.signs is not None:
        return
    for part in (*entry.parts, *entry.refused):
        left = reader.text(part)
        if len(left) == 1 < len(part):
            parsed.note(entry.line, *_one(left))
            continue
        lost = [char for char in _signs(part, reader) if char not in _JOINING and char not in _ENDS]
        if left and lost:
            parsed.note(
                entry.line,
                f"folds to {left}: {' '.join(dict.fromkeys(lost))} does not count",
                "write | signs on if it must stand in the text, | signs off if not",
            )
