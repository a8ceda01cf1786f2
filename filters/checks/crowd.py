"""Do several people in one room write a word of a list together? (参与式刷屏: each message holds a part of it.)"""

from dataclasses import dataclass
from typing import Annotated

from filters.model.check import Option
from filters.model.meaning import Meaning
from filters.model.message import Message
from filters.model.rule import Asks, Find, Found, Rule
from filters.model.verdict import Facts, Finding, Missing, Scan

REASONS = {
    "keyword.crowd": Meaning(
        403,
        {
            "en": ("The text breaks the rules", "It completes words that are not allowed here."),
            "zh": ("文字内容不符合规定", "它与其他消息连在一起，构成了此处不允许发布的词语。"),
        },
    ),
}
SAMPLE = '{ check = "crowd", action = "reject", on_error = "pass", ground = "agreement 3.1", lists = ["spam"] }'


@dataclass(frozen=True, slots=True)
class Options:
    """``lists`` are names from ``[lists]``, each read over the room's last messages within its window (15 seconds and
    64 characters where the list has none)."""

    lists: Annotated[tuple[str, ...], Option("Lists that are read over a room's messages, by name.", 1)]
    severity: Annotated[int, Option("Only hits of at least this severity (1 to 9) count.", 1, 9)] = 1


def bind(rule: Rule, asks: Asks) -> Find:
    """Reason: ``keyword.crowd``; the detail ``messages`` says how many were read as one text. Who completes a word need
    not have known of the others, so a rule of this check is in shadow unless it says ``mode = "enforce"``."""
    options = rule.options
    assert isinstance(options, Options)
    for known in (asks.lists, asks.crowd):
        known.extend(name for name in options.lists if name not in known)
    lists, severity = options.lists, options.severity

    def find(message: Message, scan: Scan, facts: Facts) -> Found:
        for name in lists:
            if name in scan.failed:
                return Missing(scan.failed[name])
        return tuple(
            Finding("crowd", "keyword.crowd", hit, detail={"messages": hit.messages})
            for name in lists
            for hit in scan.crowd.get(name, ())
            if hit.severity >= severity
        )

    return find
