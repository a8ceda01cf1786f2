"""Names of fields as other readers take them: which names could mean one that is read here.

Readers differ more in names than in values. PHP turns blanks and dots into underscores, an unpaired ``[`` as well, and
cuts at NUL; Rack and qs take ``[content]``, ``content]`` and ``content[]`` for ``content``; Spring and qs (allowDots)
read dots as steps into an object; Spring reads ``!content`` where ``content`` is absent; Zope cuts at a colon;
URLSearchParams forgives a leading ``?``; ASP.NET ignores case; some decode twice, and some strip blanks. So names are
compared as paths: all that any of them would make of one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import unquote, unquote_to_bytes

Path = tuple[str, ...]

_BLANKS: Final = " \t\u00a0\u2028\u2029\u202f\u205f\u3000\u200b\u200c\u200d\u2060\ufeff" + "".join(
    chr(code) for code in range(0x2000, 0x200B)
)
_CONTROLS: Final = dict.fromkeys((*range(32), *range(127, 160)))
_plain = re.compile(r"[a-z0-9_\-]+").fullmatch
_brackets = re.compile(r"[\[\]]+").split
_steps = re.compile(r"[\[\].]+").split
# Quotes and “;” end a parameter of Content-Disposition for one reader and not for the next; a backslash is an escape or
# is not; “&” and “=” end a name for who decodes before splitting, and “=” begins the words of RFC 2047 (=?utf-8?Q?…).
_odd = re.compile(r"[\"';&=\\\x00-\x1f\x7f-\x9f\u2028\u2029]").search


def odd(name: str) -> bool:
    """Whether readers of forms differ in where this name ends, or in how it is decoded."""
    return not _plain(name) and _odd(name) is not None


def paths(name: str) -> set[Path]:
    """What readers could make of ``name``: paths of keys in lower case, without indices."""
    if _plain(name):
        return {(name,)}
    text = name
    for _ in range(2):
        if "%" in text:
            text = unquote(text, errors="replace")
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    text = text.replace("+", " ").casefold().partition("\x00")[0].translate(_CONTROLS)
    text = text.lstrip("?&!" + _BLANKS).partition(":")[0].strip(_BLANKS)
    found = {_path(_steps(text)), _path(_brackets(text.replace(".", "_")))}
    head, bracket, rest = text.partition("[")
    if bracket and "]" not in rest:
        found.add(_path((f"{head}_{rest}".replace(".", "_"),)))
    found.discard(())
    return found or {(name,)}


def _path(parts: Iterable[str]) -> Path:
    stripped = [part.strip(_BLANKS).lstrip("?&!" + _BLANKS).replace(" ", "_") for part in parts]
    return tuple(part for part in stripped if part and not part.isdigit())


def of_pointer(tokens: Path) -> str:
    """The field by which a form or a query writes the place of a JSON Pointer."""
    return tokens[0] + "".join(f"[{token}]" for token in tokens[1:])


def sent(raw: bytes) -> Iterator[str]:
    """The names of a query, or of a body read as a form, as the most obliging reader splits and decodes it."""
    for pair in raw.replace(b";", b"&").split(b"&"):
        if pair:
            name = pair.partition(b"=")[0]
            yield unquote_to_bytes(name.replace(b"+", b" ")).decode(errors="replace")


class Names:
    """The names that are read here. ``means`` says whether another one could be taken for one of them, for what stands
    in it, or for what it stands in."""

    __slots__ = ("_above", "_deepest", "_paths", "names")

    def __init__(self, names: Iterable[str]) -> None:
        self.names = frozenset(names)
        self._paths = {path for name in self.names for path in paths(name)}
        self._deepest = max(map(len, self._paths), default=0)
        self._above = {path[:length] for path in self._paths for length in range(1, len(path))}

    def means(self, name: str) -> bool:
        """Whether some reader could take ``name`` for one of these."""
        if _plain(name):
            return (name,) in self._paths or (name,) in self._above
        for path in paths(name):
            if path in self._above:
                return True
            for length in range(1, min(len(path), self._deepest) + 1):  # a name can have 20,000 steps
                if path[:length] in self._paths:
                    return True
        return False


METHOD: Final = Names(("_method",))
"""The field by which HTML forms stand for PUT, PATCH and DELETE (``named_method``)."""
