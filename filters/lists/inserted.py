"""One foreign letter or digit inside a Han or Hangul word: 傻1逼. Only for lists that ask for it."""

from __future__ import annotations

import re
from typing import Final

from filters.lists.matcher import Find

_OWN: Final = "\u3400-\u9fff\uac00-\ud7a3\U00020000-\U0003ffff"
_foreign: Final = re.compile(f"(?<=[{_OWN}])(?![{_OWN}])[^\\W_](?=[{_OWN}])")


def thinned(find: Find) -> Find:
    """``find``, and what it finds once each single foreign character between two of Han or Hangul is left out.

    What is found only then is longer than its row: ``filters.lists.standing`` knows it by that.
    """

    def find_both(text: str) -> list[tuple[int, int, int]]:
        found = find(text)
        left_out = [match.start() for match in _foreign.finditer(text)]
        if left_out:
            gone = set(left_out)
            places = [place for place in range(len(text)) if place not in gone]
            seen = find("".join([text[place] for place in places]))
            found = found + [
                (places[start], places[end - 1] + 1, row)
                for start, end, row in seen
                if places[end - 1] - places[start] >= end - start
            ]
        return found

    return find_both
