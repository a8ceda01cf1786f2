"""Must a person see every message before it appears? (Comment provisions, article 5(3): comments on news.)"""

from dataclasses import dataclass

from filters.model.meaning import Meaning
from filters.model.message import Message
from filters.model.rule import Asks, Find, Found, Rule
from filters.model.verdict import Facts, Finding, Scan

REASONS = {
    "review.required": Meaning(
        403,
        {
            "en": ("Messages are reviewed here before they appear", "None can be published at the moment."),
            "zh": ("此处的内容须先经审核", "目前暂时不能发布内容。"),
        },
    ),
}
SAMPLE = '{ check = "review", action = "label", on_error = "pass" }'

ALWAYS = (Finding("review", "review.required"),)


@dataclass(frozen=True, slots=True)
class Options:
    """None: it finds every message, and ``action = "hold"`` holds it."""


def bind(rule: Rule, asks: Asks) -> Find:
    """Reason: ``review.required``. It asks nothing, and so it never fails: ``on_error`` says what a message is worth
    that cannot be parked."""

    def find(message: Message, scan: Scan, facts: Facts) -> Found:
        return ALWAYS

    return find
