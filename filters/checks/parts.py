"""Does the message carry parts that nothing here can judge: images, links to media, attachments?"""

from dataclasses import dataclass

from filters.model.meaning import Meaning
from filters.model.message import Message
from filters.model.rule import Asks, Find, Found, Rule
from filters.model.verdict import Facts, Finding, Scan

REASONS = {
    "parts.unjudged": Meaning(
        403,
        {
            "en": ("The message cannot be checked", "It holds parts that are not allowed here."),
            "zh": ("该消息无法审核", "其中含有此处不允许发送的内容类型。"),
        },
    ),
}
SAMPLE = '{ check = "parts", action = "label", on_error = "label", label = "not judged" }'


@dataclass(frozen=True, slots=True)
class Options:
    """The check has no settings of its own: the route's ``parts`` names the pointers."""


def bind(rule: Rule, asks: Asks) -> Find:
    """Reason: ``parts.unjudged``; the record says which pointers were present."""

    def find(message: Message, scan: Scan, facts: Facts) -> Found:
        if not message.parts:
            return ()
        return (Finding("parts", "parts.unjudged", detail={"parts": message.parts}),)

    return find
