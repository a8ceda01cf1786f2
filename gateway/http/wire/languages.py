"""Which of our languages somebody prefers to read: Accept-Language (RFC 9110, section 12.5.4)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

MOST: Final = 32
"""Ranges of one field that are looked at: browsers send three or four."""

_range = re.compile(
    rb"[ \t]*(\*|[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*)[ \t]*(?:;[ \t]*[qQ]=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)[ \t]*)?"
)


_field = re.compile(rb"\naccept-language[ \t]*:([^\r\n]*)", re.IGNORECASE)


def asked_in(head: bytes) -> bytes | None:
    """The first Accept-Language field in the bytes of a head that is no request: its sender reads the refusal all the
    same, and nothing else hangs on it. None where there is none."""
    found = _field.search(head)
    return found[1].strip() if found is not None else None


@lru_cache(maxsize=256)
def preferred(field: bytes | None, offered: tuple[str, ...]) -> str:
    """The one of ``offered`` (primary subtags, in small letters) with the highest quality; empty for none.

    A range matches by its primary subtag alone, so that ``zh-Hant-TW`` is Chinese (RFC 4647, section 3.4, carried to
    its end). Of two with one quality the one that is named first counts; where ``*`` alone speaks for several, nothing
    is preferred. What is no range is passed over.
    """
    if not field:
        return ""
    qualities: dict[str, float] = {}
    for part in field.split(b",", MOST)[:MOST]:
        match = _range.fullmatch(part)
        if match is not None:
            language = match[1].decode().partition("-")[0].lower()
            quality = float(match[2]) if match[2] is not None else 1.0
            qualities[language] = max(quality, qualities.get(language, 0.0))
    named = [language for language in qualities if language in offered and qualities[language] > 0]
    best = max(named, key=qualities.__getitem__, default="")  # of equal ones the first
    left = [language for language in offered if language not in qualities]
    rest = qualities.get("*", 0.0)
    if left and rest > (qualities[best] if best else 0.0):
        return left[0] if len(left) == 1 else ""
    return best
