"""Is the sender, their registrant, their device, their address or the room blocked?"""

from dataclasses import dataclass

from filters.model.check import Meaning
from filters.model.message import Message
from filters.model.rule import Asks, Find, Found, Rule
from filters.model.verdict import Facts, Finding, Missing, Scan

REASONS = {
    "block.sender": Meaning(403, {"en": ("You are blocked from writing", "The block's ground is named below.")}),
    "block.registrant": Meaning(
        403, {"en": ("You are blocked from writing", "The registrant of this account is blocked.")}
    ),
    "block.device": Meaning(
        403, {"en": ("This device is restricted", "Messages from this device are restricted for a while.")}
    ),
    "block.ip": Meaning(
        403, {"en": ("This address is restricted", "Messages from this network address are restricted.")}
    ),
    "block.room": Meaning(403, {"en": ("This place is blocked", "Nobody can write here at the moment.")}),
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
