"""Letters of the Arabic script that readers take for the same: the part of the folding tables that says so.

Read by ``tools/folding_tables.py``. Sources: the pairs of Lucene 9's ArabicNormalizer, PersianNormalizer and
SoraniNormalizer; the names of the Unicode character database, which say whose shape a letter is (``SWASH KAF``,
``NOON GHUNNA``, ``DOTLESS FEH``); and the names of shapes in ``ArabicShaping.txt`` (UAX 44) for letters with a sign on
them (``KAF WITH DOT ABOVE``), which are that letter with a mark.

Dots that make another everyday letter (``BEH`` and ``TEH``, ``HAH`` and ``JEEM``, ``KEHEH`` and ``GAF``) stay.
"""

import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

# One letter in several hands, in the direction of the first. Hamza forms and vowel points go with ``marks``.
NORMALIZED = {
    "\u0671": "\u0627",  # alef wasla
    "\u0649": "\u064a",  # alef maksura
    "\u06cc": "\u064a",  # Farsi yeh
    "\u06d2": "\u064a",  # yeh barree
    "\u06a9": "\u0643",  # keheh
    "\u0629": "\u0647",  # teh marbuta
    "\u06c1": "\u0647",  # heh goal
    "\u06c3": "\u0647",  # teh marbuta goal
    "\u06be": "\u0647",  # heh doachashmee
    "\u06d5": "\u0647",  # ae
}
# What names add to a letter that stays the same to the eye.
_HANDS = "AFRICAN|DOTLESS|FINAL|KASHMIRI|LOW|ROHINGYA|STRAIGHT|SWASH|THIN"
_HAND = re.compile(rf"(ARABIC|HEBREW) LETTER (?:(?:{_HANDS}) ([A-Z]+)|([A-Z]+) GHUNNA)")
_MARKED = re.compile(r"ARABIC LETTER ([A-Z ]+?) WITH [A-Z0-9 -]+")
# Shapes of which no everyday letter is made by a sign, so that letters of other names that are (``NG``, ``OE``, ``E``)
# have a sign.
_SHAPE = re.compile(r"(KAF|WAW|DOTLESS YEH) WITH [A-Z0-9 ]+")
_SHAPES = {"KAF": "KAF", "WAW": "WAW", "DOTLESS YEH": "YEH"}
_VERSION = re.compile(r"ArabicShaping-([0-9.]+[0-9])")


def hands() -> dict[str, str]:
    """Letters that are written otherwise elsewhere, or at the end of a word (Hebrew), to the one of everyday."""
    found = {}
    for char, name in _letters():
        if match := _HAND.fullmatch(name):
            letter = _named(match[1], match[2] or match[3])
            if letter:
                found[char] = letter
    return found | NORMALIZED


def marked(folder: Path) -> dict[str, str]:
    """Letters with a sign on them to those without, but for what Unicode itself takes apart."""
    shapes = {}
    for line in (folder / "ArabicShaping.txt").read_text(encoding="utf-8").splitlines():
        code, *fields = [field.strip() for field in line.partition("#")[0].split(";")]
        if len(fields) == 3:
            shapes[chr(int(code, 16))] = fields[0]
    found = {}
    for char, name in _letters():
        if unicodedata.decomposition(char):
            continue
        match = _MARKED.fullmatch(name)
        letter = _named("ARABIC", match[1]) if match else ""
        if not letter and (shape := _SHAPE.fullmatch(shapes.get(char, ""))) and not _is_everyday(char):
            letter = _named("ARABIC", _SHAPES[shape[1]])
        if letter:
            found[char] = letter
    return found


def version(folder: Path) -> dict[str, str]:
    """Of the file, as it says it itself."""
    match = _VERSION.search((folder / "ArabicShaping.txt").read_text(encoding="utf-8"))
    return {"ArabicShaping": match[1]} if match else {}


def _letters() -> Iterator[tuple[str, str]]:
    for code in range(0x0590, 0x0900):
        if name := unicodedata.name(chr(code), ""):
            yield chr(code), name


def _named(script: str, name: str) -> str:
    try:
        return unicodedata.lookup(f"{script} LETTER {name}")
    except KeyError:
        return ""


def _is_everyday(char: str) -> bool:
    """A letter of ISO 8859-6."""
    try:
        char.encode("iso8859-6")
    except UnicodeEncodeError:
        return False
    return True
