"""What a reason code means to people, in each language that is spoken here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

ENGLISH: Final = "en"
CHINESE: Final = "zh"
LANGUAGES: Final = (ENGLISH, CHINESE)


class Meaning(NamedTuple):
    """What one reason code means to the sender who is told of it.

    ``status``: of an HTTP answer, 403 for policy and 429 where waiting helps, or the close code that ends a socket; a
    socket's notice carries the reason alone. ``words``: by language (RFC 5646), a title without a full stop, and one or
    two whole sentences or nothing. None says which word of which list.
    """

    status: int
    words: Mapping[str, tuple[str, str]]

    def told(self, language: str = ENGLISH) -> tuple[str, str]:
        """Title and detail in ``language``, in English where there are none."""
        return self.words.get(language) or self.words[ENGLISH]


def titled(status: int, english: str, chinese: str) -> Meaning:
    """A meaning whose title says everything."""
    return Meaning(status, {ENGLISH: (english, ""), CHINESE: (chinese, "")})
