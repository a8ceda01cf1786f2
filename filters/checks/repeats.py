"""Was the same text, folded, sent too often: by one person, or by several at once?"""

from dataclasses import dataclass

from filters.model.meaning import Meaning
from filters.model.message import Message
from filters.model.rule import Asks, Find, Found, Repeat, Rule
from filters.model.verdict import Facts, Finding, Missing, Scan

REASONS = {
    "repeat.sender": Meaning(
        429,
        {
            "en": ("You have said this already", "The same text was sent too often."),
            "zh": ("您已发送过相同的内容", "同一内容的发送次数过多。"),
        },
    ),
    "repeat.room": Meaning(
        429,
        {
            "en": ("This has been said already", "The same text was sent here too often by several people."),
            "zh": ("已有人发送过相同的内容", "同一内容在此处被多人多次发送。"),
        },
    ),
    "repeat.global": Meaning(
        429,
        {
            "en": ("This has been said already", "The same text was sent too often by several people."),
            "zh": ("已有人发送过相同的内容", "同一内容被多人多次发送。"),
        },
    ),
}
SAMPLE = '{ check = "repeats", action = "reject", on_error = "pass", ground = "agreement 4.3", limit = "3/1m" }'


@dataclass(frozen=True, slots=True)
class Options:
    """One repeat bound: see ``filters.model.rule.Repeat``."""

    repeat: Repeat


def bind(rule: Rule, asks: Asks) -> Find:
    """Reasons: ``repeat.sender``, ``repeat.room``, ``repeat.global``."""
    options = rule.options
    assert isinstance(options, Options)
    repeat = options.repeat
    place = asks.repeat(repeat, rule.mode)
    reason = f"repeat.{repeat.scope}"

    def find(message: Message, scan: Scan, facts: Facts) -> Found:
        if not scan.fingerprint or scan.folded_length < repeat.min_length:
            return ()
        if facts.missing and "repeats" in facts.missing:
            return Missing(facts.missing["repeats"])
        told = facts.repeats[place]
        if told.seen <= repeat.quota or told.senders < repeat.senders:
            return ()
        return (
            Finding(
                "repeats", reason, retry_after=told.retry_after, detail={"seen": told.seen, "senders": told.senders}
            ),
        )

    return find
