"""The parts of the hot path alone, each beside the plain way of doing the same.

``python -m benchmarks.micro`` shows them; ``run`` is part of a record. The plain way is what one would write first:
where it is as fast, the part is not worth its lines.
"""

from __future__ import annotations

from typing import Any

from benchmarks.micro import admit, folding, frames, head, journal, matching
from benchmarks.micro.case import timed

PARTS = (folding, matching, admit, journal, head, frames)


def run(*, quick: bool = False) -> list[dict[str, Any]]:
    """Rows: ``part``, ``case``, ``us`` a call, ``plain`` is what it is compared with, ``plain_us``, their ``ratio``."""
    rows = []
    for part in PARTS:
        for case in part.cases():
            ours, theirs = timed(case, rounds=3 if quick else 9, seconds=0.02 if quick else 0.1)
            rows.append(
                {
                    "part": case.part,
                    "case": case.name,
                    "us": ours,
                    "plain": case.plain_name,
                    "plain_us": theirs,
                    "ratio": ours / theirs,
                }
            )
    return rows
