"""Is the sender's credit below what this policy asks? (Comment rules, article 5: tiers by credit.)"""

from dataclasses import dataclass
from typing import Annotated

from filters.model.check import Option
from filters.model.meaning import Meaning
from filters.model.message import Message
from filters.model.rule import Asks, Find, Found, Rule
from filters.model.verdict import Facts, Finding, Missing, Scan

REASONS = {
    "credit.low": Meaning(
        403,
        {
            "en": ("Your credit is too low", "Your credit level does not allow this."),
            "zh": ("您的信用等级过低", "您目前的信用等级不允许进行此操作。"),
        },
    ),
}
SAMPLE = '{ check = "credit", action = "label", on_error = "pass", below = 40 }'


@dataclass(frozen=True, slots=True)
class Options:
    """One level; credit is a number from 0 to 100."""

    below: Annotated[int, Option("Senders with a lower credit (1 to 100) are found.", 1, 100)]


def bind(rule: Rule, asks: Asks) -> Find:
    """Reason: ``credit.low``. A sender nobody knows has no credit to be low: that is the identity check's matter."""
    options = rule.options
    assert isinstance(options, Options)
    asks.account = True
    below = options.below

    def find(message: Message, scan: Scan, facts: Facts) -> Found:
        if message.vouched is not None and message.vouched.level >= 0:
            credit = message.vouched.level
        elif facts.account is not None:
            credit = facts.account.credit
        elif "account" in facts.missing:
            return Missing(facts.missing["account"])
        else:
            return ()
        return (Finding("credit", "credit.low", detail={"credit": credit}),) if credit < below else ()

    return find
