"""Is this among the sender's first messages? (Comment rules, article 5: tiers; who is new begins in the lowest.)

What counts is a message that a person approved and that the platform has, on whatever route: what the lists let pass
tells of the lists, and not of its sender. The count stands in the sender's account (``approved``), so that a server of
state that was emptied is told the same again; no account, and nobody who sends, is a newcomer (law 15).
"""

from dataclasses import dataclass
from typing import Annotated

from filters.model.check import Option
from filters.model.credit import MOST_APPROVED
from filters.model.meaning import Meaning
from filters.model.message import Message
from filters.model.rule import Asks, Find, Found, Rule
from filters.model.verdict import Facts, Finding, Missing, Scan

REASONS = {
    "newcomer.first": Meaning(
        403,
        {
            "en": ("You are new here", "This is open to those of whom some messages were approved."),
            "zh": ("您是新用户", "已有若干条内容通过审核的用户方可进行此操作。"),
        },
    ),
}
SAMPLE = '{ check = "newcomer", action = "label", on_error = "pass", first = 3 }'


@dataclass(frozen=True, slots=True)
class Options:
    """One number, the same for everybody."""

    first: Annotated[
        int,
        Option("Senders of whom fewer messages were approved by a person are found (1 to 100).", 1, MOST_APPROVED),
    ]


def bind(rule: Rule, asks: Asks) -> Find:
    """Reason: ``newcomer.first``. A front that vouches for a level says nothing of approvals: the account is asked."""
    options = rule.options
    assert isinstance(options, Options)
    asks.account = asks.approved = True
    first = options.first

    def find(message: Message, scan: Scan, facts: Facts) -> Found:
        account = facts.account
        if account is None and "account" in facts.missing:
            return Missing(facts.missing["account"])
        approved = account.approved if account is not None else 0
        return (Finding("newcomer", "newcomer.first", detail={"approved": approved}),) if approved < first else ()

    return find
