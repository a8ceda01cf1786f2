"""Texts that were taken down: who sends the same again is refused, until the copy's expiry.

The same means: the same fingerprint of the folded text (``filters.text.fingerprint``), so that the evasions which
folding undoes are copies too. A route whose rules ask for the fingerprint has it in the scan already; for the others it
is made here, and only while any copy is in force.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from filters.model.message import Message
from filters.model.rule import Rule
from filters.model.verdict import Decided, Finding, Scan
from filters.reading.keywords import Bounds, Scanner
from filters.text.tables import FoldTables

if TYPE_CHECKING:
    from gateway.state.model.snapshot import CopyRow

REMOVED = "copy.removed"
BOUNDS = Bounds(text=1 << 20, folded=1 << 20)  # beyond any route's: what was judged must be known again


class _Copy(NamedTuple):
    until_us: int  # microseconds since the epoch
    decided: Decided


class RefusedCopies:
    """The copies of one snapshot."""

    __slots__ = ("_copies", "_prints")

    def __init__(self, rows: Sequence[CopyRow], prints: Scanner) -> None:
        self._prints = prints
        self._copies = {
            bytes.fromhex(row.fingerprint): _Copy(
                row.expires_at * 1_000_000,
                Decided(
                    Rule("copy", "reject", "reject", None, row.ground),
                    Finding("copy", REMOVED, detail={"copy": row.id}),
                    "reject",
                ),
            )
            for row in rows
        }

    def act(self, message: Message, scan: Scan) -> Decided | None:
        """The decision against a message that repeats a removed text; None for any other."""
        print_ = scan.fingerprint or self._prints.scan(message.texts).fingerprint
        found = self._copies.get(print_)
        return found.decided if found is not None and message.received_at < found.until_us else None


def fingerprints(tables: FoldTables) -> Scanner:
    """Reads texts for their fingerprint alone, as every scanner with ``fingerprint`` does."""
    return Scanner([], True, BOUNDS, tables)
