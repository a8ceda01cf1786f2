"""Whose state it is: the control database that projects into it, by that database's own id.

Two databases that project into one state would erase each other's acts. No process and no lease owns state: a process
that died, or was started again, is the same database, and starts at once. Another database is refused until a person
says ``tidegate state claim``, which is an act.
"""

from __future__ import annotations

from datetime import UTC, datetime
from socket import gethostname
from typing import Any, NamedTuple

import orjson

from filters.model.errors import TidegateError
from gateway.state.model.keys import Keys


class StateOwner(NamedTuple):
    """``id``: the database's own; alone it decides. The others are what a person needs to find it: the number of its
    node, the host, the file, and since when (RFC 3339) state is its."""

    id: str
    node: int = 0
    host: str = ""
    database: str = ""
    since: str = ""

    def __str__(self) -> str:
        return f"{self.database or 'a database'} of node {self.node} on {self.host or 'another host'} (id {self.id})"


class NotOurs(TidegateError):
    """State belongs to another control database; the text says to which one, and what can be done."""

    def __init__(self, owner: StateOwner, ours: str) -> None:
        since = f", since {owner.since}" if owner.since else ""
        super().__init__(
            f"state belongs to the control database {owner}{since}; ours has the id {ours or '(none yet)'}. Stop that "
            "gateway, or give this one a state.prefix or a server of its own; to take this state over for good, say "
            "“tidegate state claim”"
        )
        self.owner = owner


def myself(database_id: str, node: int, database: str) -> StateOwner:
    """This host's database as an owner, from now on."""
    return StateOwner(database_id, node, gethostname(), database, datetime.now(UTC).isoformat(timespec="seconds"))


def encode(owner: StateOwner) -> bytes:
    """The value in state."""
    return orjson.dumps(owner._asdict())


def decode(value: bytes | None) -> StateOwner | None:
    """None where state is nobody's yet. What cannot be read belongs to somebody all the same."""
    if value is None:
        return None
    try:
        told: dict[str, Any] = orjson.loads(value)
        return StateOwner(
            str(told["id"]),
            int(told.get("node", 0)),
            str(told.get("host", "")),
            str(told.get("database", "")),
            str(told.get("since", "")),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return StateOwner("unreadable")


async def owner(redis: Any, keys: Keys) -> StateOwner | None:
    """Whose it is now, as a redis-py client reads it."""
    return decode(await redis.get(keys.owner))
