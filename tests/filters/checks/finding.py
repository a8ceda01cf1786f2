"""Ask one check about one message."""

from typing import Any

from filters.checks import CHECKS
from filters.model.message import Message
from filters.model.rule import Asks, Rule
from filters.model.verdict import Facts, Missing, Scan

MESSAGE = Message("id", "comment", "route", "room", "alice", ("text",), 10_000_000)


def found(check: str, options: object, facts: Facts, scan: Scan = Scan(), message: Message = MESSAGE) -> Any:  # noqa: B008
    """What the check says: reason codes, or the cause of a Missing."""
    rule = Rule(check, "reject", "reject", options, "ground")
    result = CHECKS[check].bind(rule, Asks())(message, scan, facts)
    return result.cause if isinstance(result, Missing) else [finding.reason for finding in result]
