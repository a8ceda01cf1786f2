"""Records as the index keeps them: a message, and what became of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

STATES: Final = (
    "", "delivered", "failed", "refused", "held", "unknown", "approved", "releasing", "undeliverable", "ticketed",
    "lapsed", "expired", "withdrawn", "superseded", "void", "removed",
)  # fmt: skip
"""What a message can have come to; a row keeps the place. Empty: nothing is known yet."""

REMOVED: Final = "removed"
VERDICTS: Final = ("pass", "hold", "reject")
EFFECTS: Final = ("mask", "label")
_HALF: Final = 1 << 64
_SIGN: Final = 1 << 63


class IndexedMessage(NamedTuple):
    """``time``: when it came, of an imported bullet when it was sent (µs since the epoch). ``tags``: what it is found
    by beside its place and its sender. ``texts``: None where they are not kept, or sealed."""

    id: str
    time: int
    route: str
    room: str
    sender: str
    verdict: str
    state: str
    tags: tuple[str, ...]
    texts: tuple[str, ...] | None


class IndexEvent(NamedTuple):
    """What became of the message ``id``: an outcome, a review or a removal, which says so in ``kind``."""

    id: str
    at: int
    kind: str
    state: str
    reason: str

    @property
    def standing(self) -> str:
        """One of ``STATES``; empty for one of a version after this."""
        if self.kind == "removal":
            return REMOVED
        return self.state if self.state in STATES else ""


def message_of(record: Mapping[str, Any]) -> IndexedMessage | None:
    """A message, where the record brings one."""
    kind = record["kind"]
    if kind == "judged":
        findings = record.get("findings", ())
        verdict = record["verdict"]
        tags = {f"reason:{one['reason']}": None for one in findings}
        tags |= {f"effect:{one['effect']}": None for one in findings if one["effect"] in EFFECTS}
        if verdict != "pass":
            tags[f"verdict:{verdict}"] = None
        return IndexedMessage(
            record["id"], record["time"], record["route"], record["room"], record["sender"], verdict, "", tuple(tags),
            _texts(record),
        )  # fmt: skip
    if kind == "imported":
        return IndexedMessage(
            record["id"], record["sent_at"], record["route"], record["room"], "", "pass", "delivered", (),
            _texts(record),
        )  # fmt: skip
    return None


def event_of(record: Mapping[str, Any]) -> IndexEvent | None:
    """What became of a message, where the record tells that of one."""
    kind = record["kind"]
    if kind in ("outcome", "review", "removal") and record["id"]:
        return IndexEvent(record["id"], record["time"], kind, record["state"], record.get("reason", ""))
    return None


def _texts(record: Mapping[str, Any]) -> tuple[str, ...] | None:
    plain = record.get("content", {}).get("plain")
    return tuple(plain) if plain is not None else None


def halves(message_id: str) -> tuple[int, int] | None:
    """An id as two integers of SQLite's; None for what is no UUID. The first rises with the time of the id."""
    digits = message_id.replace("-", "")
    try:
        number = int(digits, 16)
    except ValueError:
        return None
    if len(digits) != 32 or len(message_id) != 36:
        return None
    return _signed(number >> 64), _signed(number % _HALF)


def whole(head: int, tail: int) -> str:
    """The id of two halves."""
    digits = f"{head % _HALF:016x}{tail % _HALF:016x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def heads(since_us: int, until_us: int) -> tuple[int, int]:
    """The least first half of an id of this time, and the first one beyond: of UUIDv7, and of what was imported."""
    return max(since_us // 1000, 0) << 16, (until_us // 1000 + 1) << 16


def _signed(number: int) -> int:
    return number - _HALF if number >= _SIGN else number
