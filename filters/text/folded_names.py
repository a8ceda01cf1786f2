"""Names as readers have them that fold compatibility forms and case: fields of forms, segments of paths.

``unicodedata.normalize`` puts a run of combining marks into its order in the square of the run's length: 64 KiB of
them take two seconds, and whoever sends a name chooses them. So characters are folded one by one, and put together only
where the name is short.
"""

from __future__ import annotations

import unicodedata
from typing import Final

COMPOSED: Final = 1024
"""Characters of a name that is put together (NFC); none that is configured is as long."""
_WIDEST: Final = 4
_REMEMBERED: Final = 16_384


class _Folded(dict[int, str]):
    """Each character in NFKC and in lower case, for ``str.translate``. One that would become very many (U+FDFA becomes
    18) is no part of a name that anybody configures, and becomes none. Emptied when full."""

    def __missing__(self, code: int) -> str:
        if len(self) >= _REMEMBERED:
            self.clear()
        folded = unicodedata.normalize("NFKC", chr(code)).casefold()
        folded = self[code] = folded if len(folded) <= _WIDEST else "\ufffd"
        return folded


_folded: Final = _Folded()


def fold_name(text: str) -> str:
    """``text`` in compatibility forms and lower case: NFKC and casefold, where it is no longer than ``COMPOSED``."""
    if text.isascii():
        return text.lower()
    text = text.translate(_folded)
    return unicodedata.normalize("NFC", text) if len(text) <= COMPOSED else text
