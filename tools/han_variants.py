"""Han characters that are written otherwise elsewhere: the part of the folding tables that comes from published files.

Read by ``tools/folding_tables.py``. Sources: ``EquivalentUnifiedIdeograph.txt`` (UAX 44) and ``Unihan_Variants.txt``
(UAX 38: kSpoofingVariant, kZVariant, kSemanticVariant; ``Unihan_Readings.txt``: kMandarin) as Debian's package
unicode-data installs them, the Han pairs of Unicode Technical Standard 39 (in ``confusable-homoglyphs``), and OpenCC's
Japanese forms (``jp2t``, in ``opencc``).
"""

import bz2
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import opencc
from confusable_homoglyphs.confusables import confusables_data

UNIHAN_FIELDS = ("kSpoofingVariant", "kZVariant")
OTHERWISE = "妳咲甦"  # you (你) in Taiwan, to bloom in Japan, to wake (苏): no 奶, 笑 and 稣 to readers of today
FIRST_LEVEL_END = 0xD8  # the first byte of the second level (GB 2312, rows 56 on)
SAME_MEANING = "kSemanticVariant"
_VERSION = re.compile(r"(?:EquivalentUnifiedIdeograph-|Unicode version: )([0-9.]+[0-9])")


def han_pairs(folder: Path) -> Iterator[tuple[str, str]]:
    """Every pair of characters that any source takes for one, sources in the order of the module's docstring."""
    for line in _lines(folder / "EquivalentUnifiedIdeograph.txt"):
        codes, _, target = line.partition("#")[0].partition(";")
        if target:
            first, _, last = codes.strip().partition("..")
            for code in range(int(first, 16), int(last or first, 16) + 1):
                yield chr(code), chr(int(target, 16))
    for line in _lines(folder / "Unihan_Variants.txt"):
        if line.startswith("U+"):
            char, field, targets = line.split("\t")
            if field in UNIHAN_FIELDS:
                for target in targets.split():
                    yield chr(int(char[2:], 16)), chr(int(target.partition("<")[0][2:], 16))
    for char, entries in confusables_data.items():
        for entry in entries:
            if len(char) == len(entry["c"]) == 1 and is_han(char) and is_han(entry["c"]):
                yield char, entry["c"]
    old_forms = opencc.OpenCC("jp2t")
    for char in filter(is_han, map(chr, range(0x3400, 0x33480))):
        if len(old := old_forms.convert(char)) == 1 and old != char:
            yield char, old


def variants(pairs: Iterator[tuple[str, str]], plain: Callable[[str], str]) -> dict[str, str]:
    """Each character to the one that stands for all its forms: the one of GB 2312, mainland China's everyday 6,763,
    where one of them is in it. Two of these are never made one (土 and 士, 欠 and 缺), whoever confuses them.

    ``plain`` is what the traditional folding makes of a character: its answers are what is joined.
    """
    parent: dict[str, str] = {}

    def top(char: str) -> str:
        while parent.get(char, char) != char:
            char = parent[char]
        return char

    for one, other in pairs:
        first, second = top(plain(one)), top(plain(other))
        if first == second or (_everyday(first) and _everyday(second)):
            continue
        keep, go = sorted((first, second), key=_preference)
        parent[go] = keep
    return {char: top(char) for char in parent if top(char) != char}


def same_meaning(folder: Path, everyday_form: Callable[[str], str]) -> dict[str, str]:
    """Characters that dictionaries give as another writing of one everyday character (kSemanticVariant: 囯 of 国), and
    of no second as common, and that are read as it is (kMandarin). ``everyday_form`` is what the foldings
    make of a character so far."""
    found: dict[str, set[str]] = {}
    read: dict[str, set[str]] = {}
    for line in _lines(folder / "Unihan_Readings.txt"):
        code, field, *told = line.split("\t") if line.startswith("U+") else ("", "")
        if field == "kMandarin":
            read[chr(int(code[2:], 16))] = set(told[0].split())
    for line in _lines(folder / "Unihan_Variants.txt"):
        if not line.startswith("U+"):
            continue
        code, field, targets = line.split("\t")
        if field != SAME_MEANING:
            continue
        for target in targets.split():
            pair = chr(int(code[2:], 16)), chr(int(target.partition("<")[0][2:], 16))
            forms = everyday_form(pair[0]), everyday_form(pair[1])
            if not set(OTHERWISE).isdisjoint(pair):
                continue
            for char, form, other in ((pair[0], *forms), (pair[1], *forms[::-1])):
                if read.get(char, set()).isdisjoint(read.get(other, ())):
                    continue
                if not _everyday(char) and not _everyday(form) and _everyday(other):
                    found.setdefault(form, set()).add(other)
    chosen = {}
    for char, forms in found.items():
        first = forms if len(forms) == 1 else set(filter(_is_common, forms))
        if len(first) == 1:
            chosen[char] = min(first)
    return chosen


def versions(folder: Path) -> dict[str, str]:
    """Of the two files, as they say it themselves."""
    found = {}
    for name in ("EquivalentUnifiedIdeograph", "Unihan_Variants"):
        for line in _lines(folder / f"{name}.txt"):
            if match := _VERSION.search(line):
                found[name] = match[1]
                break
    return found


def is_han(char: str) -> bool:
    return unicodedata.name(char, "").startswith(("CJK UNIFIED", "CJK RADICAL", "CJK STROKE", "KANGXI RADICAL"))


def everyday(table: Mapping[str, str]) -> dict[str, str]:
    """Without the characters of GB 2312: what only another standard folds away keeps its place here."""
    return {char: target for char, target in table.items() if not _everyday(char)}


def _everyday(char: str) -> bool:
    try:
        char.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return is_han(char)


def _is_common(char: str) -> bool:
    """Of the first level of GB 2312, 3,755 characters by frequency: 冰, and not its piece 冫."""
    return char.encode("gb2312")[0] < FIRST_LEVEL_END


def _preference(char: str) -> tuple[bool, bool, int]:
    return not _everyday(char), not unicodedata.name(char, "").startswith("CJK UNIFIED"), ord(char)


def _lines(path: Path) -> Iterator[str]:
    packed = path.with_name(path.name + ".bz2")
    data = bz2.decompress(packed.read_bytes()) if packed.exists() else path.read_bytes()
    yield from data.decode("utf-8").splitlines()
