"""The snapshot: what every worker holds in memory so that it is in force at once, and without state.

One set of typed rows for everybody: control writes them, the projection stores them, workers read them. On the wire
(a key in state, a command on a worker's socket) they are one JSON object:

    {"version": N, "switches": […], "urgent": […], "copies": […], "ranges": […], "blocks": […], "blocks_whole": …,
     "rooms": […], "rooms_whole": …, "tickets": […], "unwanted": […], "incidents": […]}

A reader takes what a program of the version before wrote, and the one after: a section or a field that is not there has
its default, one that is not known is passed over.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from filters.model.limits import Pace, pace
from filters.model.verdict import Block, RoomFact
from gateway.state.model.ranges import Ranges

LIMITED = pace(1, 10_000_000)  # what a block allows that is a limit rather than a wall, unless configured otherwise
MAX_BLOCKS = 5000  # the newest; what is left out, state alone knows
MAX_ROOMS = 5000  # of those that are not open
MAX_TICKETS = 5000  # the newest; with one that is left out its sender is judged as if there were none
FROZEN = "switch.frozen"  # what a frozen room's or route's refusals say; on the wire beside each switch


class SwitchRow(NamedTuple):
    """An emergency switch. ``kind``: freeze; ``scope``: room or route, empty in one that says neither."""

    id: int
    kind: str
    scope: str
    value: str
    ground: str


class UrgentRow(NamedTuple):
    """A word that every worker refuses."""

    id: int
    word: str
    ground: str


class CopyRow(NamedTuple):
    """A text that is refused. ``fingerprint``: 16 hexadecimal digits; ``expires_at``: seconds since the epoch."""

    id: int
    fingerprint: str
    ground: str
    expires_at: int


class RangeRow(NamedTuple):
    """A blocked range of addresses. ``expires_at``: seconds since the epoch, 0 for never."""

    cidr: str
    reason: str
    expires_at: int = 0
    limited: bool = False


class BlockRow(NamedTuple):
    """One of the newest blocks. ``expires_at``: seconds since the epoch, 0 for never."""

    scope: str
    value: str
    reason: str
    expires_at: int = 0
    limited: bool = False


class RoomRow(NamedTuple):
    """A room that is not open. ``status``: slow, muted or closed; ``interval_ms``: the pause of slow mode."""

    room: str
    status: str
    interval_ms: int = 0


class TicketRow(NamedTuple):
    """A text that its sender may send again. ``digest``: 32 hexadecimal digits; ``expires_at``: seconds since the
    epoch."""

    id: int
    route: str
    room: str
    sender: str
    digest: str
    expires_at: int


class UnwantedRow(NamedTuple):
    """A message that was taken down a moment ago: where it waits still, it does not go on. ``id`` is ours."""

    id: str
    ground: str


class IncidentRow(NamedTuple):
    """An incident (应急处置). ``scope``: all, routes or rooms, of which ``places`` are the names; ``ends_at``: µs since
    the epoch. ``pace_ms``: the pause between two messages of a sender on a route, 0 for none; ``level``: the credit
    from which on somebody may write, -1 for everybody."""

    id: int
    scope: str
    places: tuple[str, ...]
    ends_at: int
    hold: bool = False
    freeze: bool = False
    pace_ms: int = 0
    level: int = -1
    ground: str = ""


class SnapshotRows(NamedTuple):
    """One version of the snapshot. Switches, incidents, urgent words, copies and ranges are whole; blocks and tickets
    are the newest ones.

    ``blocks_whole`` and ``rooms_whole``: whether these are all there are, so that who is not among them is not blocked.
    A version before this one wrote neither: it left blocks out only beyond ``MAX_BLOCKS``, and rooms always.
    """

    version: int
    switches: tuple[SwitchRow, ...] = ()
    urgent: tuple[UrgentRow, ...] = ()
    copies: tuple[CopyRow, ...] = ()
    ranges: tuple[RangeRow, ...] = ()
    blocks: tuple[BlockRow, ...] = ()
    blocks_whole: bool = True
    rooms: tuple[RoomRow, ...] = ()
    rooms_whole: bool = False
    tickets: tuple[TicketRow, ...] = ()
    unwanted: tuple[UnwantedRow, ...] = ()
    incidents: tuple[IncidentRow, ...] = ()


def encode(rows: SnapshotRows) -> dict[str, Any]:
    """The JSON object."""
    return {
        "version": rows.version,
        "switches": [
            {"id": row.id, "kind": row.kind, row.scope: row.value, "ground": row.ground, "reason_code": FROZEN}
            for row in rows.switches
        ],
        "urgent": [row._asdict() for row in rows.urgent],
        "copies": [row._asdict() for row in rows.copies],
        "ranges": [row._asdict() for row in rows.ranges],
        "blocks": [row._asdict() for row in rows.blocks],
        "blocks_whole": rows.blocks_whole,
        "rooms": [row._asdict() for row in rows.rooms],
        "rooms_whole": rows.rooms_whole,
        "tickets": [row._asdict() for row in rows.tickets],
        "unwanted": [row._asdict() for row in rows.unwanted],
        "incidents": [row._asdict() for row in rows.incidents],
    }


def decode(document: Any) -> SnapshotRows:
    """The rows of a JSON object. Raises ``ValueError`` where it is not a snapshot."""
    if not isinstance(document, dict):
        raise ValueError("the snapshot is not a JSON object")
    try:
        return SnapshotRows(
            int(document.get("version", 0)),
            tuple(_switch(row) for row in document.get("switches", ())),
            tuple(
                UrgentRow(int(row.get("id", 0)), str(row["word"]), str(row.get("ground", "")))
                for row in document.get("urgent", ())
            ),
            tuple(
                CopyRow(int(row["id"]), str(row["fingerprint"]), str(row["ground"]), int(row["expires_at"]))
                for row in document.get("copies", ())
            ),
            tuple(RangeRow(str(row["cidr"]), *_terms(row)) for row in document.get("ranges", ())),
            tuple(BlockRow(str(row["scope"]), str(row["value"]), *_terms(row)) for row in document.get("blocks", ())),
            bool(document.get("blocks_whole", len(document.get("blocks", ())) < MAX_BLOCKS)),
            tuple(
                RoomRow(str(row["room"]), str(row["status"]), int(row.get("interval_ms", 0)))
                for row in document.get("rooms", ())
            ),
            bool(document.get("rooms_whole", False)),
            tuple(
                TicketRow(
                    int(row["id"]),
                    str(row["route"]),
                    str(row["room"]),
                    str(row["sender"]),
                    str(row["digest"]),
                    int(row["expires_at"]),
                )
                for row in document.get("tickets", ())
            ),
            tuple(UnwantedRow(str(row["id"]), str(row.get("ground", ""))) for row in document.get("unwanted", ())),
            tuple(_incident(row) for row in document.get("incidents", ())),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"the snapshot lacks something: {type(error).__name__}") from None


def _switch(row: Mapping[str, Any]) -> SwitchRow:
    scope = next((scope for scope in ("route", "room") if row.get(scope)), "")
    return SwitchRow(
        int(row.get("id", 0)), str(row.get("kind", "")), scope, str(row.get(scope, "")), str(row.get("ground", ""))
    )


def _incident(row: Mapping[str, Any]) -> IncidentRow:
    return IncidentRow(
        int(row["id"]), str(row["scope"]), tuple(map(str, row.get("places", ()))), int(row["ends_at"]),
        bool(row.get("hold", False)), bool(row.get("freeze", False)), int(row.get("pace_ms", 0)),
        int(row.get("level", -1)), str(row.get("ground", "")),
    )  # fmt: skip


def _terms(row: Mapping[str, Any]) -> tuple[str, int, bool]:
    return str(row["reason"]), int(row.get("expires_at", 0)), bool(row.get("limited", False))


class RangeBlock(NamedTuple):
    """A blocked address range."""

    cidr: str
    block: Block


class ClosedRoom(NamedTuple):
    """A room that is not open. ``pace``: what slow mode allows each sender; None where nobody may write."""

    fact: RoomFact
    pace: Pace | None


class Snapshot:
    """One version of the snapshot as a worker asks it. Immutable.

    ``ranges`` finds the block of an address range; ``blocks`` holds the newest blocks by (scope, value), ``rooms`` the
    rooms that are not open, both by the side of state and in its stead while it is away; ``standing``: every value that
    one of these two names, whatever its scope. What people switched on stands in ``rows``.
    """

    __slots__ = ("blocks", "ranges", "rooms", "rows", "standing", "version")

    def __init__(self, rows: SnapshotRows) -> None:
        self.rows = rows
        self.version = rows.version
        self.ranges: Ranges[RangeBlock] = Ranges(
            (row.cidr, RangeBlock(row.cidr, Block("ip", row.reason, row.expires_at, row.limited)))
            for row in rows.ranges
        )
        self.blocks = {
            (row.scope, row.value): Block(row.scope, row.reason, row.expires_at, row.limited) for row in rows.blocks
        }
        self.rooms = {row.room: _closed(row) for row in rows.rooms}
        self.standing = frozenset([row.value for row in rows.blocks] + [row.room for row in rows.rooms])


def _closed(row: RoomRow) -> ClosedRoom:
    return ClosedRoom(RoomFact(row.status), pace(1, row.interval_ms * 1000) if row.status == "slow" else None)


def parse(data: bytes) -> Snapshot:
    """Read a snapshot from state. Raises ``ValueError`` where it is not one."""
    return Snapshot(decode(orjson.loads(data)))
