"""Every check, in one table that a reader can see. A new check is a file here, a row, a test file and a paragraph."""

from collections.abc import Callable
from typing import Any, NamedTuple

from filters.checks import block, credit, identity, keywords, limit, parts, repeats, room
from filters.rule import Asks, Find, Rule


class Check(NamedTuple):
    """``options`` is a frozen dataclass whose fields are the check's keys in TOML; ``bind`` says what the check
    needs and returns the function that finds. ``of_facts``: what it finds hangs on ``Facts`` and the time alone, and on
    ``Message.vouched``; of one object of facts ``judge`` then need not ask it twice."""

    options: type[Any]
    bind: Callable[[Rule, Asks], Find]
    of_facts: bool = False


CHECKS: dict[str, Check] = {
    "identity": Check(identity.Options, identity.bind, of_facts=True),
    "block": Check(block.Options, block.bind, of_facts=True),
    "room": Check(room.Options, room.bind, of_facts=True),
    "limit": Check(limit.Options, limit.bind, of_facts=True),
    "keywords": Check(keywords.Options, keywords.bind),
    "parts": Check(parts.Options, parts.bind),
    "repeats": Check(repeats.Options, repeats.bind),
    "credit": Check(credit.Options, credit.bind, of_facts=True),
}
