"""The snapshot: what every worker holds in memory so that it is in force at once, and without state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from filters.model.limits import pace
from filters.model.verdict import Block
from gateway.state.model.ranges import Ranges

LIMITED = pace(1, 10_000_000)  # what a block allows that is a limit rather than a wall, unless configured otherwise


class RangeBlock(NamedTuple):
    """A blocked address range."""

    cidr: str
    block: Block


class Snapshot:
    """One version of the snapshot, read. Immutable.

    ``document`` is the whole JSON object (switches and urgent words are other people's matter). ``ranges`` finds the
    block of an address range; ``blocks`` holds the newest blocks by (scope, value), a stand-in while state is away.
    """

    __slots__ = ("blocks", "document", "ranges", "version")

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self.version = int(document.get("version", 0))
        self.ranges: Ranges[RangeBlock] = Ranges(
            (row["cidr"], RangeBlock(row["cidr"], _block("ip", row))) for row in document.get("ranges", ())
        )
        self.blocks = {(row["scope"], row["value"]): _block(row["scope"], row) for row in document.get("blocks", ())}


def parse(data: bytes) -> Snapshot:
    """Read a snapshot from state. Raises ``ValueError`` where it is not one."""
    document = orjson.loads(data)
    if not isinstance(document, dict):
        raise ValueError("the snapshot in state is not a JSON object")
    try:
        return Snapshot(document)
    except (KeyError, TypeError) as error:
        raise ValueError(f"the snapshot in state lacks something: {type(error).__name__}") from None


def _block(scope: str, row: Mapping[str, Any]) -> Block:
    return Block(scope, str(row["reason"]), int(row.get("expires_at", 0)), bool(row.get("limited", False)))
