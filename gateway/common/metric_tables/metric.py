"""What a metric is: its name, its kind and what it means."""

from __future__ import annotations

from typing import Literal, NamedTuple

Kind = Literal["counter", "gauge", "histogram"]


class Metric(NamedTuple):
    """``bounds`` are the upper bounds of a histogram's buckets, in its unit, inclusive, rising.

    ``over_workers`` says what a gauge of several workers is: their ``sum``, the ``max`` or the ``min``.
    """

    name: str
    kind: Kind
    meaning: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()
    over_workers: Literal["sum", "max", "min"] = "sum"
