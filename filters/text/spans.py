"""Half-open stretches of a text, and what allow phrases take away from them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

from filters.model.verdict import Hit

Span = tuple[int, int]


def merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """In order, with overlapping ones made one; spans that only touch stay two."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start < found[-1][1]:
            if end > found[-1][1]:
                found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return tuple(found)


class Allowed:
    """The stretches that allow phrases cover. A phrase takes what lies within it, so the longer of two wins; what
    reaches beyond every phrase stays."""

    __slots__ = ("_reach", "_starts")

    def __init__(self, spans: Iterable[Span]) -> None:
        ordered = sorted(spans)
        self._starts = [start for start, _ in ordered]
        self._reach: list[int] = []  # the farthest end of any phrase that begins here or before
        farthest = 0
        for _, end in ordered:
            farthest = max(farthest, end)
            self._reach.append(farthest)

    def takes(self, start: int, end: int) -> bool:
        """Does one phrase contain the stretch? The one that reaches farthest of those that begin early enough."""
        place = bisect_right(self._starts, start) - 1
        return place >= 0 and self._reach[place] >= end


def bounded(hits: list[Hit], most: int) -> tuple[Hit, ...]:
    """At most ``most`` hits, in the order of their first span.

    The gravest ones are kept. The rest is told as one hit, under the gravest of its words and with all their spans:
    a flood of words costs bounded work downstream, and neither a mask nor a refusal misses any of them.
    """
    if len(hits) > most:
        hits.sort(key=lambda hit: -hit.severity)
        rest = hits[most - 1 :]
        spans = merged(span for hit in rest for span in hit.spans)
        hits = [*hits[: most - 1], rest[0]._replace(spans=spans)]
    hits.sort(key=lambda hit: hit.spans[0])
    return tuple(hits)
