"""Which records a person asked for."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

REMEMBERED = 10_000  # messages whose outcome is still looked for, and as many whose removal is


@dataclass(slots=True)
class Selection:
    """Empty fields ask nothing. Times are in microseconds since the epoch, the end not included.

    ``verdict`` is a disposition (pass, hold, reject) or an effect (mask, label); ``reason`` is looked for in findings
    and outcomes. The outcome of a message that was chosen is chosen with it, and so is its removal.
    """

    id: str = ""
    sender: str = ""
    room: str = ""
    route: str = ""
    verdict: str = ""
    reason: str = ""
    since_us: int = 0
    until_us: int | None = None
    _chosen: OrderedDict[str, None] = field(default_factory=OrderedDict)
    _ended: OrderedDict[str, None] = field(default_factory=OrderedDict)

    @property
    def needle(self) -> bytes:
        """Bytes that every wanted line holds."""
        return f'"id":"{self.id}"'.encode() if self.id else b""

    def forget(self) -> None:
        """Begin anew: what was chosen before chooses nothing any more."""
        self._chosen.clear()
        self._ended.clear()

    def takes(self, record: dict[str, Any]) -> bool:
        if self.id and record.get("id") != self.id:
            return False
        if record["kind"] == "onward" and record["id"] in self._chosen:
            return True
        if record["kind"] == "outcome" and record["id"] in self._chosen:
            del self._chosen[record["id"]]
            _remember(self._ended, record["id"])
            return True
        if record["kind"] == "removal" and (record["id"] in self._ended or record["id"] in self._chosen):
            return True
        at = record.get("time", 0)
        if at < self.since_us or (self.until_us is not None and at >= self.until_us):
            return False
        for name in ("sender", "room", "route"):
            wanted = getattr(self, name)
            if wanted and record.get(name) != wanted:
                return False
        findings = record.get("findings", ())
        if self.verdict and self.verdict not in (record.get("verdict"), *(f["effect"] for f in findings)):
            return False
        if self.reason and self.reason not in (record.get("reason"), *(f["reason"] for f in findings)):
            return False
        if record["kind"] == "judged":
            _remember(self._chosen, record["id"])
        return True


def _remember(ids: OrderedDict[str, None], message_id: str) -> None:
    ids[message_id] = None
    if len(ids) > REMEMBERED:
        ids.popitem(last=False)
