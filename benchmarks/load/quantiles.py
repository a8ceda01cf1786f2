"""Quantiles of samples and of Prometheus histograms, and the spread of a few rounds."""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Sequence
from typing import NamedTuple


def of_sorted(ordered: Sequence[float], share: float) -> float:
    """The smallest value that at least ``share`` of the rising values do not exceed (nearest rank); NaN for none."""
    if not ordered:
        return math.nan
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


class Spread(NamedTuple):
    """A median and how far the rounds lie apart."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Of at least one value."""
        return cls(statistics.median(values), min(values), max(values))


class Histogram(NamedTuple):
    """``counts[i]`` observations in (``bounds[i-1]``, ``bounds[i]``]; the last bound is infinite. Not cumulated."""

    bounds: tuple[float, ...]
    counts: tuple[int, ...]

    @classmethod
    def parse(cls, text: str, name: str) -> Histogram:
        """From the text format of Prometheus, all series of ``name`` added up; LookupError where there is none."""
        cumulated: dict[float, float] = {}
        for line in re.finditer(rf"^{re.escape(name)}_bucket{{(.*)}} (\S+)$", text, re.MULTILINE):
            bound = re.search(r'(?:^|,)le="([^"]+)"', line[1])
            if bound is not None:
                key = float(bound[1])
                cumulated[key] = cumulated.get(key, 0.0) + float(line[2])
        if math.inf not in cumulated:
            raise LookupError(f"no histogram {name}")
        bounds = tuple(sorted(cumulated))
        steps = [cumulated[bound] for bound in bounds]
        return cls(bounds, tuple(round(b - a) for a, b in zip([0.0, *steps], steps, strict=False)))

    def since(self, earlier: Histogram) -> Histogram:
        """What was observed after ``earlier`` was read."""
        if self.bounds != earlier.bounds:
            raise ValueError("histograms with different bounds")
        return Histogram(self.bounds, tuple(b - a for a, b in zip(earlier.counts, self.counts, strict=True)))

    @property
    def total(self) -> int:
        """Observations."""
        return sum(self.counts)

    def quantile(self, share: float) -> float:
        """Linear within its bucket, as Prometheus' ``histogram_quantile``; the last finite bound above it all."""
        rank = share * self.total
        before = 0
        for place, count in enumerate(self.counts):
            if count and before + count >= rank:
                high = self.bounds[place]
                low = self.bounds[place - 1] if place else 0.0
                return low if math.isinf(high) else low + (high - low) * (rank - before) / count
            before += count
        return math.nan

    def share_within(self, bound: float) -> float:
        """The share of observations in buckets that end at ``bound`` or below."""
        within = sum(count for end, count in zip(self.bounds, self.counts, strict=True) if end <= bound)
        return within / self.total if self.total else math.nan
