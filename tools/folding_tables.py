"""Writes ``gateway/words/folding.txt``, the tables that text is folded with.

Run with the locked development packages and Debian's package unicode-data (or the folder of its files as the only
argument), and commit what it writes::

    apt-get install unicode-data
    .venv/bin/python tools/folding_tables.py [/usr/share/unicode]

Sources: the interpreter's Unicode character database (NFKC, case folding, categories, numeric values), the look-alike
pairs of Unicode Technical Standard 39 (in ``confusable-homoglyphs``), OpenCC's conversions (in ``opencc``), what
``tools/han_variants.py`` and ``tools/arabic_letters.py`` read.
The result is data with a digest of its own, so that a list compiled on one machine means the same on another, whatever
Unicode version each interpreter carries.
"""

import importlib.metadata
import re
import sys
import unicodedata
from collections.abc import Iterable
from pathlib import Path

import opencc
from arabic_letters import hands, marked
from arabic_letters import version as shaping_version
from confusable_homoglyphs.confusables import confusables_data
from han_variants import han_pairs, same_meaning, variants
from han_variants import versions as file_versions

TARGET = Path(__file__).parent.parent / "gateway" / "words" / "folding.txt"
EVERY = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code <= 0xDFFF]

# Marks that decorate a letter of any script, or points that ordinary writing leaves out. Vowel signs and tone marks of
# Thai, Devanagari and their relatives are part of the spelling and stay.
MARK_RANGES = (
    (0x0300, 0x036F),
    (0x0483, 0x0489),
    (0x0591, 0x05C7),
    (0x0610, 0x061A),
    (0x064B, 0x065F),
    (0x0670, 0x0670),
    (0x06D6, 0x06ED),
    (0x1AB0, 0x1AFF),
    (0x1DC0, 0x1DFF),
    (0x20D0, 0x20FF),
    (0x302A, 0x302D),
    (0xFE20, 0xFE2F),
)

# Default_Ignorable_Code_Point (DerivedCoreProperties.txt), with the controls and format characters below added.
INVISIBLE_RANGES = (
    (0x00AD, 0x00AD),
    (0x034F, 0x034F),
    (0x061C, 0x061C),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x200B, 0x200F),
    (0x202A, 0x202E),
    (0x2060, 0x206F),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFF8),
    (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A),
    (0xE0000, 0xE0FFF),
)

NUMERALS = {
    "0": "〇零",
    "1": "一壹弌",
    "2": "二贰貳弍",
    "3": "三叁叄弎",
    "4": "四肆",
    "5": "五伍",
    "6": "六陆陸",
    "7": "七柒",
    "8": "八捌",
    "9": "九玖",
}

# "1", "!", "|" and "l" are one letter here, because writers use them for both i and l.
LEETSPEAK = {
    "0": "o",
    "1": "i",
    "!": "i",
    "|": "i",
    "l": "i",
    "3": "e",
    "4": "a",
    "@": "a",
    "5": "s",
    "$": "s",
    "7": "t",
}

# Scripts whose letters pass for Latin ones in a line of text: alphabets and syllabaries that are written from left to
# right and whose letters take no vowel signs. (A Hebrew letter turns the order of the word around; a vowel sign would
# be taken for an ornament on an ASCII letter.)
LOOKALIKE_SCRIPTS = (
    "LATIN",
    "GREEK",
    "CYRILLIC",
    "ARMENIAN",
    "CHEROKEE",
    "COPTIC",
    "LISU",
    "DESERET",
    "CANADIAN SYLLABICS",
    "BAMUM",
    "CARIAN",
    "ELBASAN",
    "ETHIOPIC",
    "GEORGIAN",
    "GOTHIC",
    "LYCIAN",
    "MIAO",
    "OLD ITALIC",
    "OSAGE",
    "OSMANYA",
    "RUNIC",
    "TIFINAGH",
    "WARANG CITI",
)

# What browsers take for the dot of a domain name (UTS 46, section 2.3); the other forms are full-width ones of these.
DOTS = {"\u3002": ".", "\uff61": ".", "\ufe12": "."}
MIDDLE_DOT = {"\u318d": "\u00b7", "\u119e": "\u00b7"}  # ㆍ, a vowel of old that Korean writes as a middle dot

CHANGING = "っゃゅょ"  # small kana that make another sound of the one before: きゃく is no きやく
PROLONGED = "\u30fc"  # ー, which lengthens the kana before it, and looks like 一
INFORMATION = "\u2139"  # ℹ, the one emoji that is a letter to Unicode
KEYCAP = "\u20e3"  # encloses the digit before it

# Scripts that part words with spaces: where one of their words may begin and end matters.
SPACED_SCRIPTS = (
    "LATIN",
    "GREEK",
    "CYRILLIC",
    "ARMENIAN",
    "GEORGIAN",
    "CHEROKEE",
    "COPTIC",
    "HEBREW",
    "ARABIC",
    "DEVANAGARI",
)

STYLED_NAME = re.compile(
    r"(?:(?:CROSSED )?(?:NEGATIVE )?(?:CIRCLED|SQUARED|PARENTHESIZED) LATIN (?:CAPITAL |SMALL )?LETTER"
    r"|REGIONAL INDICATOR SYMBOL LETTER|LATIN LETTER SMALL CAPITAL) ([A-Z])"
)
# Of the foldings, those that say which letters a symbol holds.
SHOWING = ("width", "numbers", "styled", "compat", "lookalike", "case")
# Written for the Han characters they are pieces of, never as ornaments.
PARTS_OF_HAN = ("CJK RADICAL", "KANGXI RADICAL", "CJK STROKE")
RADICAL_PARTS = "亻"  # a side of a character, which no word is written with
STYLED_TAGS = ("<font>", "<circle>", "<super>", "<sub>", "<square>")


# Where each map comes from: told beside it.
SOURCES = {
    "width": "Unicode character database: <wide> and <narrow> decompositions",
    "numbers": "Unicode character database: numeric values; Han numerals of everyday and of cheques",
    "styled": "Unicode character database: <font>, <circle>, <super>, <sub>, <square> decompositions and names",
    "compat": "Unicode character database: NFKC; UTS 46, section 2.3: the dots of domain names",
    "marks": "Unicode character database: canonical decompositions without marks; ArabicShaping.txt: with a sign",
    "case": "Unicode character database: full case folding",
    "traditional": "OpenCC: t2s, tw2s, hk2s",
    "variants": "EquivalentUnifiedIdeograph.txt; Unihan kSpoofingVariant, kZVariant, kSemanticVariant; UTS 39; jp2t",
    "kana": "Unicode character database: Katakana and Hiragana blocks; UTS 39, Katakana to Han",
    "lookalike": "UTS 39 to Latin; Lucene's Arabic, Persian and Sorani normalizers; names of letters in other hands",
    "leetspeak": "everyday use",
    "second": "Unicode character database: symbols that the maps above read as letters; UTS 39: capitals",
}


def within(char: str, ranges: Iterable[tuple[int, int]]) -> bool:
    return any(first <= ord(char) <= last for first, last in ranges)


def is_mark(char: str) -> bool:
    return within(char, MARK_RANGES) and unicodedata.category(char).startswith("M")


def is_invisible(char: str) -> bool:
    if within(char, INVISIBLE_RANGES):
        return True
    return unicodedata.category(char) in ("Cc", "Cf") and not char.isspace()


def is_word(char: str) -> bool:
    """Letters, numbers and the marks of their spelling; everything else parts words, emoji included."""
    if 0x02B9 <= ord(char) <= 0x02FF or char == "\u0640":
        return False  # modifier letters that look like apostrophes and dashes; the Arabic stretch
    return unicodedata.category(char)[0] in "LNM"


def widths() -> dict[str, str]:
    tags = ("<wide>", "<narrow>")
    return {c: unicodedata.normalize("NFKC", c) for c in EVERY if unicodedata.decomposition(c).startswith(tags)}


def numbers() -> dict[str, str]:
    found = {}
    for char in EVERY:
        if char.isascii() or unicodedata.category(char) not in ("Nd", "No", "Nl"):
            continue
        value = unicodedata.numeric(char, -1.0)
        if "ROMAN" in (name := unicodedata.name(char, "")) or "FRACTION" in name:
            continue  # Roman numerals are spelled with letters, and are used to write words
        spelled = unicodedata.normalize("NFKC", char)
        if value > 9 and spelled != char and not any(map(str.isdecimal, spelled)):
            continue  # ㈩ is 十, which stays what it is: folding tens would need arithmetic
        if value >= 0 and value == int(value) and value <= 99:
            found[char] = str(int(value))
    found.update({char: digit for digit, chars in NUMERALS.items() for char in chars})
    return found


def styled() -> dict[str, str]:
    found = {}
    for char in EVERY:
        tag = unicodedata.decomposition(char).split(" ", 1)[0]
        folded = unicodedata.normalize("NFKC", char)
        if tag in STYLED_TAGS and len(folded) == 1 and folded.isalnum():
            found[char] = folded
        elif match := STYLED_NAME.fullmatch(unicodedata.name(char, "")):
            found[char] = match[1]
    return found


def compatibility() -> dict[str, str]:
    return {c: f for c in EVERY if (f := unicodedata.normalize("NFKC", c)) != c} | DOTS | MIDDLE_DOT


def marks(files: Path) -> dict[str, str]:
    found = marked(files)
    for char in EVERY:
        if is_mark(char):
            found[char] = ""
            continue
        parts = unicodedata.normalize("NFD", char)
        if len(parts) > 1 and any(is_mark(part) for part in parts):
            found[char] = unicodedata.normalize("NFC", "".join(part for part in parts if not is_mark(part)))
    return found


def cases() -> dict[str, str]:
    return {c: f for c in EVERY if (f := c.casefold()) != c}


def simplified() -> dict[str, str]:
    """One character at a time: phrases would need context, and a word is folded by the same table as the text."""
    converters = [opencc.OpenCC(name) for name in ("t2s", "tw2s", "hk2s")]
    found = {}
    for char in EVERY:
        if not unicodedata.name(char, "").startswith("CJK "):
            continue
        for converter in converters:
            target = converter.convert(char)
            if target != char and len(target) == 1:
                found[char] = target
                break
    return found


def kana() -> dict[str, str]:
    """Katakana to Hiragana, small letters but っゃゅょ to full ones, and those that pass for Han characters (UTS 39) to
    these, in both forms alike: which of the three was meant is decided where a word was found. The mark that lengthens
    is left out."""
    han = {
        char: entry["c"]
        for char, entries in confusables_data.items()
        if unicodedata.name(char[0], "").startswith("KATAKANA LETTER")
        for entry in entries
        if unicodedata.name(entry["c"][0], "").startswith("CJK UNIFIED IDEOGRAPH-") and entry["c"] not in RADICAL_PARTS
    }
    found = {PROLONGED: ""}
    for code in range(0x30A1, 0x30F7):
        char, flat = chr(code), chr(code - 0x60)
        found[char] = han.get(char, flat)
        if char in han:
            found[flat] = han[char]
    for code in range(0x3041, 0x3097):
        full = unicodedata.name(chr(code)).replace(" SMALL ", " ")
        if full != unicodedata.name(chr(code)) and chr(code) not in CHANGING:
            full_size = unicodedata.lookup(full)
            found[chr(code)] = found.get(full_size, full_size)
    found |= {"\u30fd": "\u309d", "\u30fe": "\u309e"}
    return found


def seconds(maps: dict[str, dict[str, str]]) -> dict[str, str]:
    """What can be read in two ways, with the way in which it is not read first.

    * A symbol that holds letters or digits (™ 🇺 ① 🈲) is a letter, or an ornament that is looked over. So is a digit
      with a keycap, for which the keycap stands here; so are raised and lowered letters (ª ⁿ), Roman numerals (Ⅳ) and
      ℹ, which Unicode counts as letters.
    * A capital whose small letter looks like another one (Ν is n, ν is v), or a letter written as another (ϲ is c, and
      as a sigma o).
    * The mark that lengthens kana, as the Han character 一.
    """
    found = {KEYCAP: "", PROLONGED: "一"}
    for char in EVERY:
        if unicodedata.category(char) not in ("So", "Sm", "Sk", "No") and not is_small_sign(char):
            continue
        shown = shown_by(char, maps)
        if (
            shown != char
            and any(unicodedata.category(c)[0] in "LN" for c in shown)
            and not unicodedata.name(char, "").startswith(PARTS_OF_HAN)
        ):
            found[char] = ""
    looks = own_looks()
    for char in EVERY:
        target = looks.get(unicodedata.normalize("NFKC", char), looks.get(char, ""))
        if unicodedata.category(char)[0] != "L" or len(target) != 1:
            continue
        if target == "l":  # and so for I, where it is a bare stroke
            if any(entry["c"] == "l" for entry in confusables_data.get(char, ())) and shown_by(char, maps) == "l":
                found[char] = "i"
        elif target != shown_by(char, maps):
            found[char] = target
    for char in EVERY:  # what is the same with a mark is read the same
        parts = unicodedata.normalize("NFD", char)
        if len(parts) > 1 and all(map(is_mark, parts[1:])):
            found.pop(char, None)
            if parts[0] in found:
                found[char] = found[parts[0]]
    return found


def is_small_sign(char: str) -> bool:
    """A letter or number that is a footnote, an ordinal, a numeral or an emoji as often as a letter."""
    if char == INFORMATION:
        return True
    tag = unicodedata.decomposition(char).split(" ", 1)[0]
    return tag in ("<super>", "<sub>") or (tag == "<compat>" and " ROMAN NUMERAL " in f" {unicodedata.name(char)}")


def shown_by(char: str, maps: dict[str, dict[str, str]]) -> str:
    """The letters that a character comes to, by the maps that say what it shows."""
    shown = char
    for _ in range(8):
        shown = "".join(next((maps[name][c] for name in SHOWING if c in maps[name]), c) for c in shown)
    return shown


def latin(target: str) -> str:
    """The ASCII letters that ``target`` shows, or nothing: ``o̸`` shows ``o``."""
    bare = "".join(part for part in unicodedata.normalize("NFKD", target) if not is_mark(part))
    return bare.casefold() if bare.isascii() and bare.isalpha() and len(bare) <= 2 else ""


def lookalikes() -> dict[str, str]:
    """Letters that pass for ASCII letters, in both cases alike.

    A capital that looks Latin takes its small letter along (В as b, so в too), for otherwise a Cyrillic word would no
    longer match itself in the other case. Where small and capital differ (ν is v, Ν is N) the small letter's look wins.
    """
    own = own_looks()
    found = dict(own)
    for char, target in own.items():
        small = char.casefold()
        if len(small) == 1 and small not in own and not small.isascii():
            found.setdefault(small, target)
    return {char: found.get(char.casefold(), target) for char, target in found.items()} | hands()


def own_looks() -> dict[str, str]:
    """What each letter or symbol by itself passes for (UTS 39)."""
    own: dict[str, str] = {}
    for char, entries in confusables_data.items():
        if len(char) != 1 or char.isascii():
            continue
        letter = unicodedata.category(char).startswith("L") and unicodedata.name(char, "").startswith(LOOKALIKE_SCRIPTS)
        if not letter and unicodedata.category(char) not in ("So", "Sm"):
            continue
        longest = 2 if unicodedata.name(char).startswith("LATIN") else 1
        shows = [shown for entry in entries if 0 < len(shown := latin(entry["c"])) <= longest]
        if shows:
            own[char] = min(shows, key=len)
    return own


def context() -> list[str]:
    """What may change or be changed by the character before it, so that it cannot be folded alone.

    Marks, the second halves of canonical compositions, and the vowels and finals of Hangul.
    """
    seconds = {
        unicodedata.normalize("NFD", char)[-1]
        for char in EVERY
        if len(unicodedata.normalize("NFD", char)) > 1 and not 0xAC00 <= ord(char) <= 0xD7A3
    }
    jamo = {chr(code) for code in (*range(0x1161, 0x1200), *range(0xD7B0, 0xD800))}
    found = []
    for char in EVERY:
        parts = unicodedata.normalize("NFKD", char)
        first = next((part for part in parts if is_word(part)), parts[0])  # ゛ is a space with a mark on it
        if first in seconds or first in jamo or unicodedata.category(first).startswith("M"):
            found.append(char)
    return found


def ranges(chars: Iterable[str]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for code in sorted(map(ord, chars)):
        if found and found[-1][1] == code - 1:
            found[-1] = (found[-1][0], code)
        else:
            found.append((code, code))
    return found


def settled(char: str, *tables: dict[str, str]) -> str:
    """What is left once no table changes it."""
    before = ""
    while before != char:
        before = char
        for table in tables:
            char = table.get(char, char)
    return char


def main(files: Path) -> None:
    maps = {
        "width": widths(),
        "numbers": numbers(),
        "styled": styled(),
        "compat": compatibility(),
        "marks": marks(files),
        "case": cases(),
        "traditional": (plain := simplified()),
        "variants": (forms := variants(han_pairs(files), lambda char: plain.get(char, char))),
        "kana": kana(),
        "lookalike": lookalikes(),
        "leetspeak": LEETSPEAK,
    }
    forms |= same_meaning(files, lambda char: settled(char, plain, forms))
    maps["second"] = seconds(maps)
    sets = {
        "invisible": [c for c in EVERY if is_invisible(c)],
        "word": [c for c in EVERY if is_word(c)],
        "spaced": [
            c
            for c in EVERY
            if unicodedata.category(c)[0] in "LM" and unicodedata.name(c, "").startswith(SPACED_SCRIPTS)
        ],
        "context": context(),
        "borrowed": [
            char for char in lookalikes() if char not in own_looks() and char not in hands() and char.islower()
        ],
    }
    versions = {name: importlib.metadata.version(name) for name in ("opencc", "confusable-homoglyphs")}
    versions |= file_versions(files) | shaping_version(files)
    sources = ", ".join(f"{name} {version}" for name, version in versions.items())
    lines = [
        "# Folding tables, written by tools/folding_tables.py; do not edit. Hexadecimal code points.",
        f"# Unicode {unicodedata.unidata_version}, {sources}, Lucene 9 (Arabic, Persian and Sorani normalizers).",
    ]
    for name, table in maps.items():
        lines += [f"# {SOURCES[name]}", f"@map {name}"]
        lines += [" ".join(f"{ord(x):x}" for x in char + target) for char, target in sorted(table.items())]
    for name, chars in sets.items():
        lines.append(f"@set {name}")
        lines += [f"{first:x} {last:x}" for first, last in ranges(chars)]
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text("\n".join(lines) + "\n", encoding="ascii")
    for name, table in maps.items():
        print(f"{name:12} {len(table):6}")
    for name, chars in sets.items():
        print(f"{name:12} {len(chars):6} in {len(ranges(chars))} ranges")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "/usr/share/unicode"))
