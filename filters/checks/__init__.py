"""Every check, in one table that a reader can see. A new check is a file here, a row, a test file and a paragraph."""

from collections.abc import Callable
from typing import Any, NamedTuple

from filters.checks import block, credit, identity, keywords, limit, parts, repeats, room
from filters.rule import Asks, Find, Rule


class Check(NamedTuple):
    """``options`` is a frozen dataclass whose fields are the check's keys in TOML; ``bind`` says what the check
    needs and returns the function that finds."""

    options: type[Any]
    bind: Callable[[Rule, Asks], Find]


CHECKS: dict[str, Check] = {
    "identity": Check(identity.Options, identity.bind),
    "block": Check(block.Options, block.bind),
    "room": Check(room.Options, room.bind),
    "limit": Check(limit.Options, limit.bind),
    "keywords": Check(keywords.Options, keywords.bind),
    "parts": Check(parts.Options, parts.bind),
    "repeats": Check(repeats.Options, repeats.bind),
    "credit": Check(credit.Options, credit.bind),
}
