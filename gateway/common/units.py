"""Values with units, as people write them: ``64KiB``, ``20ms``, ``5/10s``.

A number without its unit is refused everywhere: 20 may be seconds to its writer and milliseconds to its reader. The
parsers raise ValueError with a text that says what to write instead.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, NamedTuple

SIZES = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}
DURATIONS = {
    "us": Decimal("1e-6"), "ms": Decimal("1e-3"), "s": Decimal(1), "m": Decimal(60), "h": Decimal(3600),
    "d": Decimal(86400),
}  # fmt: skip

_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([A-Za-z]+)")
_DURATION = re.compile(r"(?:[0-9]+(?:\.[0-9]+)?(?:us|ms|s|m|h|d))+")
_DURATION_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(us|ms|s|m|h|d)")


class Rate(NamedTuple):
    """``quota`` events in ``seconds``."""

    quota: int
    seconds: float


def size(value: Any) -> int:
    """Bytes from ``64KiB``; a bare 0 needs no unit."""
    if value == 0 and not isinstance(value, bool):
        return 0
    match = _SIZE.fullmatch(value) if isinstance(value, str) else None
    if match is None or match[2] not in SIZES:
        raise ValueError("is not a size: write a number and one of B, KiB, MiB, GiB, TiB, such as “64KiB”")
    return int(float(match[1]) * SIZES[match[2]])


def written_size(value: int) -> str:
    """Bytes, as ``size`` reads them: in the largest unit of which they are a whole number."""
    unit = max((unit for unit, factor in SIZES.items() if value % factor == 0), key=SIZES.__getitem__) if value else "B"
    return f"{value // SIZES[unit]}{unit}"


def duration(value: Any) -> float:
    """Seconds from ``20ms`` or ``1m30s``; a bare 0 needs no unit."""
    if value == 0 and not isinstance(value, bool):
        return 0.0
    if not isinstance(value, str) or _DURATION.fullmatch(value) is None:
        raise ValueError("is not a time: write a number and one of us, ms, s, m, h, d, such as “20ms” or “1m30s”")
    # In decimal: 50us is 5e-05 where it is shown, not the 4.9999999999999996e-05 that floats multiply to.
    return float(sum(Decimal(number) * DURATIONS[unit] for number, unit in _DURATION_PART.findall(value)))


def written_duration(seconds: float) -> str:
    """Seconds, as ``duration`` reads them: ``1m30s``, ``50us``."""
    left = Decimal(repr(float(seconds)))
    if left <= 0:
        return "0s"
    for unit in ("us", "ms", "s"):
        factor = DURATIONS[unit]
        if left < 1000 * factor and unit != "s":
            return f"{_plain(left / factor)}{unit}"
    told = ""
    for unit in ("d", "h", "m"):
        count, left = divmod(left, DURATIONS[unit])
        told += f"{int(count)}{unit}" if count else ""
    return told + (f"{_plain(left)}s" if left else "")


def _plain(number: Decimal) -> str:
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def rate(value: Any) -> Rate:
    """A count in a time, from ``5/10s``."""
    count, slash, time = value.partition("/") if isinstance(value, str) else ("", "", "")
    if not slash or not count.strip().isascii() or not count.strip().isdigit() or int(count) < 1:
        raise ValueError("is not a rate: write a count of at least 1, a slash and a time, such as “5/10s”")
    seconds = duration(time.strip())
    if seconds <= 0:
        raise ValueError("is a rate over no time: write a time above zero, such as “5/10s”")
    return Rate(int(count), seconds)
