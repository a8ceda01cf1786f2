"""Is the sender's identity verified, and still so? (Comment rules, article 5 (1): verified before publishing.)"""

from dataclasses import dataclass

from filters.model.meaning import Meaning
from filters.model.message import Message
from filters.model.rule import Asks, Find, Found, Rule
from filters.model.verdict import Facts, Finding, Missing, Scan

UNKNOWN = (Finding("identity", "identity.unknown"),)
UNVERIFIED = (Finding("identity", "identity.unverified"),)
EXPIRED = (Finding("identity", "identity.expired"),)

REASONS = {
    "identity.unknown": Meaning(
        403,
        {
            "en": ("Nobody is known by this name", "Log in with a registered account."),
            "zh": ("未找到该账号", "请使用已注册的账号登录。"),
        },
    ),
    "identity.unverified": Meaning(
        403,
        {
            "en": ("Your identity is not verified", "Verify your identity with the platform first."),
            "zh": ("您尚未完成真实身份信息认证", "请先在平台完成认证。"),
        },
    ),
    "identity.expired": Meaning(
        403,
        {
            "en": ("Your verification has expired", "Renew it with the platform."),
            "zh": ("您的真实身份信息认证已过期", "请在平台重新认证。"),
        },
    ),
}
SAMPLE = '{ check = "identity", action = "reject", on_error = "reject", ground = "agreement 2.1" }'


@dataclass(frozen=True, slots=True)
class Options:
    """The check has no settings of its own; where the fact comes from is the route's ``verified``."""


def bind(rule: Rule, asks: Asks) -> Find:
    """Reasons: ``identity.unknown``, ``identity.unverified``, ``identity.expired``.

    A verification that state told a short while ago stands in for an answer that is late, as long as it lasts.
    """
    asks.account = True

    def find(message: Message, scan: Scan, facts: Facts) -> Found:
        who = message.vouched or facts.account or facts.verified
        if who is None:
            cause = facts.missing.get("account")
            return Missing(cause) if cause is not None else UNKNOWN
        if not who.verified:
            return UNVERIFIED
        if 0 < who.verified_until * 1_000_000 <= message.received_at:
            return EXPIRED
        return ()

    return find
