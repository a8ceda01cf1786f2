"""May anybody write in this room now: open, slow, muted or closed?"""

from dataclasses import dataclass

from filters.model.meaning import Meaning
from filters.model.message import Message
from filters.model.rule import Asks, Find, Found, Rule
from filters.model.verdict import Facts, Finding, Missing, Scan

MUTED = (Finding("room", "room.muted"),)
CLOSED = (Finding("room", "room.closed"),)

REASONS = {
    "room.slow": Meaning(
        429,
        {
            "en": ("This place is in slow mode", "Wait a little before the next message."),
            "zh": ("此处已开启慢速模式", "请稍候再发下一条。"),
        },
    ),
    "room.muted": Meaning(
        403,
        {
            "en": ("This place is muted", "Nobody can write here at the moment."),
            "zh": ("此处已禁言", "目前任何人都不能在此发言。"),
        },
    ),
    "room.closed": Meaning(
        403,
        {"en": ("This place is closed", "It takes no more messages."), "zh": ("此处已关闭", "不再接收新的消息。")},
    ),
}
SAMPLE = '{ check = "room", action = "reject", on_error = "reject", ground = "agreement 2.3" }'


@dataclass(frozen=True, slots=True)
class Options:
    """The check has no settings of its own: the room's status carries the slow mode's interval."""


def bind(rule: Rule, asks: Asks) -> Find:
    """Reasons: ``room.slow`` (with when to try again), ``room.muted``, ``room.closed``."""
    asks.room = True

    def find(message: Message, scan: Scan, facts: Facts) -> Found:
        room = facts.room
        if facts.missing and "room" in facts.missing:
            return Missing(facts.missing["room"])
        if room.status == "open":
            return ()
        if room.status == "muted":
            return MUTED
        if room.status == "closed":
            return CLOSED
        return (Finding("room", "room.slow", retry_after=room.retry_after),) if room.retry_after > 0 else ()

    return find
