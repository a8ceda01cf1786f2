"""Is the sender, their registrant, their device, their address or the room blocked?"""

from dataclasses import dataclass

from filters.model.meaning import Meaning
from filters.model.message import Message
from filters.model.rule import Asks, Find, Found, Rule
from filters.model.verdict import Facts, Finding, Missing, Scan

REASONS = {
    "block.sender": Meaning(
        403,
        {
            "en": ("You are blocked from writing", "The block's ground is named below."),
            "zh": ("您已被封禁，不能发布内容", "处置依据见下方说明。"),
        },
    ),
    "block.registrant": Meaning(
        403,
        {
            "en": ("You are blocked from writing", "The registrant of this account is blocked."),
            "zh": ("您已被封禁，不能发布内容", "该账号的注册主体已被封禁。"),
        },
    ),
    "block.device": Meaning(
        403,
        {
            "en": ("This device is restricted", "Messages from this device are restricted for a while."),
            "zh": ("该设备受到限制", "暂时不能从该设备发布内容。"),
        },
    ),
    "block.ip": Meaning(
        403,
        {
            "en": ("This address is restricted", "Messages from this network address are restricted."),
            "zh": ("该网络地址受到限制", "不能从该网络地址发布内容。"),
        },
    ),
    "block.room": Meaning(
        403,
        {
            "en": ("This place is blocked", "Nobody can write here at the moment."),
            "zh": ("此处已被封禁", "目前任何人都不能在此发布内容。"),
        },
    ),
}
SAMPLE = '{ check = "block", action = "reject", on_error = "reject", ground = "agreement 2.2" }'


@dataclass(frozen=True, slots=True)
class Options:
    """The check has no settings of its own: a block carries its own scope, reason and expiry."""


def bind(rule: Rule, asks: Asks) -> Find:
    """Reasons: ``block.sender``, ``block.registrant``, ``block.device``, ``block.ip``, ``block.room``.

    A block that is a limit (families and campuses share devices and addresses) is found only while its limit is
    used up; the client of state has decided that.
    """
    asks.blocks = True

    def find(message: Message, scan: Scan, facts: Facts) -> Found:
        if facts.blocks:
            return tuple(
                Finding(
                    "block",
                    f"block.{block.scope}",
                    retry_after=block.retry_after,
                    detail={"block": block.reason, "expires_at": block.expires_at},
                )
                for block in facts.blocks
            )
        if facts.missing and "blocks" in facts.missing:
            return Missing(facts.missing["blocks"])
        return ()

    return find
