"""Every check, in one table that a reader can see. A new check is a file here, a row, a test file and a paragraph."""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from filters.checks import block, credit, identity, keywords, limit, parts, repeats, room
from filters.model.rule import Asks, Find, Rule


class Check(NamedTuple):
    """``options`` is a frozen dataclass whose fields are the check's keys in TOML; ``bind`` says what the check
    needs and returns the function that finds. ``reads`` lets ``judge`` leave out what would find nothing:

    * ``facts``: what it finds hangs on ``Facts``, the time and ``Message.vouched`` alone, so that one object of facts
      need not be asked twice. Repeats read besides whether the text is long enough to count: see ``Policy.counted``;
    * ``hits``: it finds nothing where the lists found nothing and none of them failed;
    * ``parts``: it finds nothing where the message has no parts;
    * ``message``: it is always asked.
    """

    options: type[Any]
    bind: Callable[[Rule, Asks], Find]
    reads: Literal["facts", "hits", "parts", "message"] = "message"


CHECKS: dict[str, Check] = {
    "identity": Check(identity.Options, identity.bind, "facts"),
    "block": Check(block.Options, block.bind, "facts"),
    "room": Check(room.Options, room.bind, "facts"),
    "limit": Check(limit.Options, limit.bind, "facts"),
    "keywords": Check(keywords.Options, keywords.bind, "hits"),
    "parts": Check(parts.Options, parts.bind, "parts"),
    "repeats": Check(repeats.Options, repeats.bind, "facts"),
    "credit": Check(credit.Options, credit.bind, "facts"),
}
