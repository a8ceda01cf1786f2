"""Does the sender, the address, the device, the room, the route or everybody together send too much?"""

from dataclasses import dataclass
from typing import Annotated

from filters.model.check import Option
from filters.model.limits import Limit
from filters.model.meaning import Meaning
from filters.model.message import Message
from filters.model.rule import Asks, Find, Found, Rule
from filters.model.verdict import Facts, Finding, Missing, Scan

REASONS = {
    "limit.sender": Meaning(
        429,
        {
            "en": ("You write too fast", "Wait a little before the next message."),
            "zh": ("您发送得过于频繁", "请稍候再发下一条。"),
        },
    ),
    "limit.ip": Meaning(
        429,
        {
            "en": ("Too many messages from this address", "Wait a little before the next message."),
            "zh": ("来自该网络地址的消息过多", "请稍候再发下一条。"),
        },
    ),
    "limit.device": Meaning(
        429,
        {
            "en": ("Too many messages from this device", "Wait a little before the next message."),
            "zh": ("来自该设备的消息过多", "请稍候再发下一条。"),
        },
    ),
    "limit.room": Meaning(
        429,
        {
            "en": ("Too many messages here", "Wait a little before the next message."),
            "zh": ("此处的消息过多", "请稍候再发下一条。"),
        },
    ),
    "limit.route": Meaning(
        429,
        {
            "en": ("Too many messages", "Wait a little before the next message."),
            "zh": ("当前消息过多", "请稍候再发下一条。"),
        },
    ),
    "limit.global": Meaning(
        429,
        {
            "en": ("Too many messages", "Wait a little before the next message."),
            "zh": ("当前消息过多", "请稍候再发下一条。"),
        },
    ),
}
SAMPLE = (
    '{ check = "limit", action = "reject", on_error = "pass", ground = "agreement 4.2", limits = ["sender 5/10s"] }'
)


@dataclass(frozen=True, slots=True)
class Options:
    """``limits``: all of them are checked together and charged together, or none is."""

    limits: Annotated[
        tuple[Limit, ...], Option("Limits, each a scope (sender, ip, device, room, route, global) and a rate.", 1)
    ]


def bind(rule: Rule, asks: Asks) -> Find:
    """Reasons: ``limit.sender``, ``limit.ip``, ``limit.device``, ``limit.room``, ``limit.route``, ``limit.global``."""
    options = rule.options
    assert isinstance(options, Options)
    places = [(asks.limit(limit, rule.mode), limit) for limit in options.limits]
    first = places[0][0]
    last = places[-1][0] + 1

    def find(message: Message, scan: Scan, facts: Facts) -> Found:
        if facts.missing and "limits" in facts.missing:
            return Missing(facts.missing["limits"])
        if not any(facts.limits[first:last]):
            return ()
        return tuple(
            Finding(
                "limit",
                f"limit.{limit.scope}",
                retry_after=facts.limits[place] / 1e6,
                detail={"quota": limit.quota, "period_us": limit.period_us},
            )
            for place, limit in places
            if facts.limits[place]
        )

    return find
