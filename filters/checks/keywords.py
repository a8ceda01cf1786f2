"""Does the text hold a word or a pattern of a list? ``filters.reading.keywords`` reads the text; this weighs what was
read."""

from dataclasses import dataclass
from typing import Annotated

from filters.model.check import Option
from filters.model.meaning import Meaning
from filters.model.message import Message
from filters.model.rule import Asks, Find, Found, Rule
from filters.model.verdict import NOTHING, Facts, Finding, Missing, Scan

REASONS = {
    "keyword.match": Meaning(
        403,
        {
            "en": ("The text breaks the rules", "It holds words that are not allowed here."),
            "zh": ("文字内容不符合规定", "其中含有此处不允许发布的词语。"),
        },
    ),
}
SAMPLE = '{ check = "keywords", action = "reject", on_error = "reject", ground = "agreement 3.1", lists = ["spam"] }'


@dataclass(frozen=True, slots=True)
class Options:
    """``lists`` are names from ``[lists]``."""

    lists: Annotated[tuple[str, ...], Option("Lists that are read, by name.", 1)]
    severity: Annotated[int, Option("Only hits of at least this severity (1 to 9) count.", 1, 9)] = 1


def bind(rule: Rule, asks: Asks) -> Find:
    """Reason: ``keyword.match``. A word that several consecutive messages hold together is found in the last of them;
    the detail ``messages`` says how many were read as one text."""
    options = rule.options
    assert isinstance(options, Options)
    asks.lists.extend(name for name in options.lists if name not in asks.lists)
    lists, severity = options.lists, options.severity

    def find(message: Message, scan: Scan, facts: Facts) -> Found:
        if scan.failed:
            for name in lists:
                if name in scan.failed:
                    return Missing(scan.failed[name])
        if not scan.hits:
            return ()
        return tuple(
            Finding(
                "keywords", "keyword.match", hit, detail=NOTHING if hit.messages == 1 else {"messages": hit.messages}
            )
            for name in lists
            for hit in scan.hits.get(name, ())
            if hit.severity >= severity
        )

    return find
