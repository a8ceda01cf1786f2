"""Digests by which a text that nobody kept is known again, when its sender enters it once more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from filters.reading.keywords import Bounds, Scanner
from filters.text.tables import FoldTables

if TYPE_CHECKING:
    from gateway.appeals.codes import Codes

BOUNDS = Bounds(text=1 << 20, folded=1 << 20)  # beyond any route's: what was judged must be known again


class Prints:
    """Of folded texts, so that spaces, case and line ends do not matter; keyed as ``codes`` are."""

    def __init__(self, codes: Codes, tables: FoldTables) -> None:
        self._codes = codes
        self._scanner = Scanner([], True, BOUNDS, tables)

    def of(self, texts: Sequence[str]) -> str:
        """16 hexadecimal digits, of several texts as of one: who enters them again enters them into one field."""
        whole = "\n".join(texts)
        return self._codes.seal(self._scanner.scan((whole,)).fingerprint or whole.encode("utf-8", "surrogatepass"))
