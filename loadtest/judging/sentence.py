"""What a report says, in the two languages."""

from __future__ import annotations

import math
from typing import NamedTuple


class Sentence(NamedTuple):
    """Whole sentences end in a full stop; names and labels do not."""

    en: str
    zh: str


def number(value: float) -> str:
    """Three figures that count; a dash for what was not measured."""
    if math.isnan(value):
        return "–"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
