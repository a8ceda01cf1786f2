"""A message and what became of it as one row, for people: records come one by one, rows are what they add up to."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

Row = dict[str, Any]

OF_A_MESSAGE = frozenset(("judged", "onward", "outcome", "removal"))


class Joined:
    """The newest ``most`` rows; ``left`` counts those that gave way to newer ones."""

    def __init__(self, most: int) -> None:
        self.left = 0
        self._most = most
        self._rows: OrderedDict[tuple[str, str], Row] = OrderedDict()
        self._others = 0

    def take(self, record: Row) -> Row:
        """Put a record where it belongs; the row that it is in now."""
        kind, name = record["kind"], str(record.get("id", ""))
        if kind not in OF_A_MESSAGE or not name:
            self._others += 1
            row = self._rows[kind, str(self._others)] = told(record)
        else:
            held = self._rows.get(("message", name))
            row = told(record) if held is None else held
            if held is not None:
                became(row, record)
            self._rows["message", name] = row
        if len(self._rows) > self._most:
            self._rows.popitem(last=False)
            self.left += 1
        return row

    def newest_first(self) -> Iterable[Row]:
        """The rows."""
        return reversed(self._rows.values())


def told(record: Row) -> Row:
    """A row of one record."""
    row: Row = {name: record.get(name, "") for name in ("time", "kind", "id", "route", "room", "sender")}
    kind = record["kind"]
    findings = record.get("findings") or ()
    row["why"] = ", ".join(f"{one['reason']} ({one['effect']})" for one in findings)
    row["what"] = str(record.get("verdict") or record.get("what") or "")
    row["became"] = ""
    row["content"] = record.get("content")
    if kind in ("outcome", "removal"):
        became(row, record)
    elif not row["why"]:
        row["why"] = str(record.get("reason", ""))
    if kind == "judged":
        row["kind"] = "message"
    return row


def became(row: Row, record: Row) -> None:
    """Put into a message's row what became of it."""
    if record["kind"] == "judged":  # a clock was set, and the outcome came first
        row |= {**told(record), "became": row["became"]}
        return
    by = f" by {record['by']}" if record["kind"] == "removal" and record.get("by") else ""
    what = f"removal {record.get('state', '')}{by}" if record["kind"] == "removal" else str(record.get("state", ""))
    status = f" {record['status']}" if record.get("status") else ""
    reason = f" ({record['reason']})" if record.get("reason") else ""
    row["became"] = "; ".join(part for part in (row["became"], f"{what}{status}{reason}") if part)
