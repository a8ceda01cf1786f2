"""Names of fields as other readers take them: which names could mean one that is read here.

Readers differ more in names than in values. PHP turns blanks and dots into underscores, an unpaired ``[`` as well, and
cuts at NUL; Rack and qs take ``[content]``, ``content]`` and ``content[]`` for ``content``; Spring and qs (allowDots)
read dots as steps into an object; Spring reads ``!content`` where ``content`` is absent; Zope cuts at a colon;
URLSearchParams forgives a leading ``?``; ASP.NET ignores case; some decode twice, and some strip blanks. So names are
compared as paths: all that any of them would make of one.

What that costs hangs on the sender, so it is bounded: no more of a name is walked than tells it from those that are
read, a long one that is not plain is refused, and of a body that is no form only those pairs are looked at that hold a
word of a name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice
from typing import Final
from urllib.parse import unquote_to_bytes

from filters.text.folded_names import fold_name

Path = tuple[str, ...]

_BLANKS: Final = " \t\u00a0\u2028\u2029\u202f\u205f\u3000\u200b\u200c\u200d\u2060\ufeff" + "".join(
    chr(code) for code in range(0x2000, 0x200B)
)
_CONTROLS: Final = dict.fromkeys((*range(32), *range(127, 160)))
LONGEST: Final = 256
"""Characters of a field's name; a longer one that is not plain is refused, so that many cost little."""
MOST_PAIRS: Final = 256
"""Pairs of a body that is no form, or of a query, that hold a word of a name that is read; more are taken for it."""
_ALL: Final = 1 << 30
plain = re.compile(r"[a-z0-9_\-]+").fullmatch
_brackets = re.compile(r"[^\[\]]+").finditer
_steps = re.compile(r"[^\[\].]+").finditer
_whole = re.compile(r".+", re.DOTALL).finditer
_pairs = re.compile("[&;]").split
_words = re.compile(r"[^\W_]+").findall
# Quotes and “;” end a parameter of Content-Disposition for one reader and not for the next; a backslash is an escape or
# is not; “&” and “=” end a name for who decodes before splitting, and “=” begins the words of RFC 2047 (=?utf-8?Q?…).
_odd = re.compile(r"[\"';&=\\\x00-\x1f\x7f-\x9f\u2028\u2029]").search


def odd(name: str) -> bool:
    """Whether readers of forms differ in where this name ends, or in how it is decoded; or it is too long to tell."""
    return not plain(name) and (len(name) > LONGEST or _odd(name) is not None)


def comparable(name: str) -> str:
    """``name`` decoded, folded and stripped by whatever some reader decodes, folds and strips; still with its steps."""
    text = name
    for _ in range(2):
        if "%" in text:
            text = unquote_to_bytes(text.encode("utf-8", "surrogatepass")).decode(errors="replace")
    text = fold_name(text.replace("+", " ").partition("\x00")[0]).translate(_CONTROLS)
    return text.lstrip("?&!" + _BLANKS).partition(":")[0].strip(_BLANKS)


def paths(name: str) -> set[Path]:
    """What readers could make of ``name``: paths of keys in lower case, without indices."""
    return {(name,)} if plain(name) else _paths(comparable(name), _ALL) or {(name,)}


def _paths(text: str, most: int) -> set[Path]:
    """The paths of what is comparable, of ``most`` keys at most."""
    found = {_path(_steps(text), most), _path(_brackets(text.replace(".", "_")), most)}
    head, bracket, rest = text.partition("[")
    if bracket and "]" not in rest:
        found.add(_path(_whole(f"{head}_{rest}".replace(".", "_")), most))
    found.discard(())
    return found


def _path(parts: Iterable[re.Match[str]], most: int) -> Path:
    stripped = (part[0].strip(_BLANKS).lstrip("?&!" + _BLANKS).replace(" ", "_") for part in parts)
    return tuple(islice((part for part in stripped if part and not part.isdigit()), most))


def of_pointer(tokens: Path) -> str:
    """The field by which a form or a query writes the place of a JSON Pointer; ``*`` is an index, which is not compared
    (``paths``)."""
    first, *within = [one for one in tokens if one != "*"] or [""]
    return first + "".join(f"[{one}]" for one in within)


class Names:
    """The names that are read here. ``means`` says whether another one could be taken for one of them, for what stands
    in it, or for what it stands in."""

    __slots__ = ("_above", "_deepest", "_paths", "_worded", "names")

    def __init__(self, names: Iterable[str]) -> None:
        self.names = frozenset(names)
        self._paths = {path for name in self.names for path in paths(name)}
        self._deepest = max(map(len, self._paths), default=0)
        self._above = {path[:length] for path in self._paths for length in range(1, len(path))}
        words = {max(_words(path[0]), key=len, default="") for path in self._paths}
        self._worded = re.compile("|".join(map(re.escape, words)) if words else "(?!)").search

    def means(self, name: str) -> bool:
        """Whether some reader could take ``name`` for one of these."""
        if plain(name):
            return (name,) in self._paths or (name,) in self._above
        return name in self.names or self.means_comparable(comparable(name))

    def means_comparable(self, text: str) -> bool:
        """The same for what ``comparable`` has made of a name."""
        if self._worded(text) is None:
            return False
        for path in _paths(text, self._deepest):  # a name can have 20,000 steps
            if path in self._above:
                return True
            for length in range(1, len(path) + 1):
                if path[:length] in self._paths:
                    return True
        return False

    def among(self, raw: bytes) -> bool:
        """Whether some reader could find one of these in a query, or in a body that it takes for a form: also one who
        decodes it before it splits it. Of very many pairs that hold a word of these names it is believed."""
        if not self.names:
            return False
        for _ in range(3):
            if b"%" not in raw:
                break
            raw = unquote_to_bytes(raw)
        text = fold_name(raw.decode(errors="replace").replace("+", " "))
        found = {pair.partition("=")[0] for pair in _pairs(text) if self._worded(pair)}
        return len(found) > MOST_PAIRS or any(map(self.means, found))


METHOD: Final = Names(("_method",))
"""The field by which HTML forms stand for PUT, PATCH and DELETE (``named_method``)."""
