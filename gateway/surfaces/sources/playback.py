"""Where in the video a bullet belongs, in milliseconds."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from gateway.surfaces.input.pointer import MISSING
from gateway.surfaces.input.reading import ParsedRequest
from gateway.surfaces.input.reasons import Refused
from gateway.surfaces.sources.sources import Read

MAX_MS = 10**9  # eleven days: longer than any video, shorter than what a clock would give

_NUMBER = re.compile(r"[0-9]{1,10}(?:\.[0-9]{1,9})?")


def compiled(source: Read, unit: str) -> Callable[[ParsedRequest], int]:
    """The function that reads it; ``unit`` is ``ms`` or ``s``. -1 for none, ``fact.malformed`` for no such place."""
    factor = 1000 if unit == "s" else 1

    def read(reading: ParsedRequest) -> int:
        value = source(reading)
        if value is MISSING or value is None or value == "":
            return -1
        if isinstance(value, str) and _NUMBER.fullmatch(value):
            value = float(value)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise Refused("fact.malformed")
        place = round(value * factor)
        if not 0 <= place <= MAX_MS:
            raise Refused("fact.malformed")
        return place

    return read
