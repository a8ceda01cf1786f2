"""What a trusted front says of the sender in the request itself: verified, until when, and the credit level."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from filters.model.message import Vouched
from gateway.surfaces.input.pointer import MISSING
from gateway.surfaces.input.reading import ParsedRequest
from gateway.surfaces.input.reasons import Refused
from gateway.surfaces.sources.sources import Read

_YES = frozenset(("true", "yes", "1"))
_NO = frozenset(("false", "no", "0"))
_DIGITS = re.compile(r"[0-9]{1,12}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

# Seconds since the epoch lie between these (2001 and 5138): neither a yes or no nor milliseconds.
_FIRST, _LAST = 10**9, 10**11


def compiled(verified: Read, level: Read | None) -> Read:
    """The function that gives a Vouched, or None where the front says nothing."""

    def read(reading: ParsedRequest) -> Vouched | None:
        value = verified(reading)
        if value is MISSING or value is None or value == "":
            return None
        sure, end = verification(value)
        return Vouched(sure, end, -1 if level is None else credit(level(reading)))

    return read


def verification(value: Any) -> tuple[bool, int]:
    """(verified, until): a yes or no, or the moment until which it holds; 0 for no end."""
    if isinstance(value, bool):
        return value, 0
    word = str(value).lower()
    if word in _YES:
        return True, 0
    if word in _NO:
        return False, 0
    return True, moment(value)


def moment(value: Any) -> int:
    """Seconds since the epoch, from such a number or an ISO 8601 date (its midnight in UTC) or time with offset."""
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        value = int(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and _FIRST <= value < _LAST:
        return int(value)
    if isinstance(value, str):
        try:
            time = datetime.fromisoformat(value)
        except ValueError:
            raise Refused("fact.malformed") from None
        if _DATE.fullmatch(value):
            time = time.replace(tzinfo=UTC)
        if time.tzinfo is not None:
            return max(1, int(time.timestamp()))
    raise Refused("fact.malformed")


def credit(value: Any) -> int:
    """A level from 0 to 100, -1 where there is none."""
    if value is MISSING or value is None or value == "":
        return -1
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 100:
        return value
    raise Refused("fact.malformed")
