"""What a policy's rules of one check are worth. A rule that everybody gets past is no answer, however it is called.

The bounds here are not law: they tell a rule that does something from one that only stands there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from ipaddress import IPv4Network, IPv6Network, collapse_addresses
from typing import TYPE_CHECKING, Any, Final

from gateway.obligations.fulfilment import Fulfilment, Known
from gateway.obligations.regulations.sentence import Sentence
from gateway.surfaces.sources.sources import WEAK, kind

if TYPE_CHECKING:
    from gateway.config import Config
    from gateway.config.sections.policies import Rule
    from gateway.config.sections.routes import Route

FEWEST_WORDS: Final = 100
"""Words that all lists of the denying keywords rules hold together: the regulations name some ten kinds of content."""
FASTEST: Final = 2.0
"""Messages a second of one sender, sustained: nobody writes faster by hand."""
MOST_AT_ONCE: Final = 120
"""Messages of one sender at once: a limit lets its whole quota through in a burst."""
MOST_REPEATS: Final = 10
"""Times that one text may be sent."""
SOONEST: Final = 10.0
"""Seconds after which a text may be sent again."""
MOST_SENDERS: Final = 10
"""Senders that it takes before the repeats of several people count."""
SHORT: Final = 20
"""Code points: where only longer texts count as repeats, nearly no bullet does."""
LOWEST_CREDIT: Final = 10
"""Credit goes from 0 to 100: below this a level concerns nobody."""
SLOWED: Final = 0.8
"""Factor on a limit: above this nobody feels it."""
WIDEST: Final = {4: 1 << 25, 6: 1 << 108}
"""Addresses that ``trust`` holds: the private ranges are fewer, and so is what a content network calls from. Of IPv6
those beside the unique local ones (RFC 4193)."""
LOCAL: Final = IPv6Network("fc00::/7")
UNDECIDED: Final = 0.01
"""Share of a running node's messages that a check may leave undecided."""

NAMES: Final[Mapping[str, Sentence]] = {
    "identity": Sentence("senders without a verified identity are kept out", "拦截未经真实身份认证的发送者"),
    "block": Sentence("blocked senders, registrants, devices, addresses are kept out", "拦截被封禁的账号、设备和地址"),
    "room": Sentence("rooms that people slowed, muted or closed", "对被限速、禁言或关闭的房间生效"),
    "limit": Sentence("limits on how much somebody sends", "发送频率限制"),
    "keywords": Sentence("texts held against word lists", "文本与词库比对"),
    "crowd": Sentence("words split over several senders", "识别多人分拆发送的词语"),
    "parts": Sentence("images and links that nobody read", "识别未经审核的图片和链接"),
    "repeats": Sentence("the same text sent again", "重复内容识别"),
    "credit": Sentence("tiers by credit", "按信用等级分级"),
    "newcomer": Sentence("the first messages of a sender are treated apart", "新用户的首批内容区别对待"),
    "review": Sentence("every message waits for a person", "所有内容先审后发"),
}  # fmt: skip


def answer(check: str, config: Config, route: Route, known: Known) -> Fulfilment:
    """What the rules of ``check`` are worth on a route."""
    rules = config.policies[route.policy].rules
    own = [(number, rule) for number, rule in enumerate(rules) if rule.check == check]
    mechanism = NAMES[check]
    if check == "credit":
        own += [(number, rule) for number, rule in enumerate(rules) if rule.check == "limit" and _scaled(rule)]
    if not own:
        return Fulfilment(f"check:{check}", "not", mechanism, (), (Sentence(f"no {check} rule", f"没有 {check} 规则"),))
    if check == "identity" and weak(route):
        lacks = Sentence(
            "who has not logged in may send, and is no person (ip:, const:)",
            "未登录者也可发送，且不对应任何人（ip:、const:）",
        )
        return Fulfilment("check:identity", "not", mechanism, (f"routes.{route.name}.sender",), (lacks,))
    around = tuple(_around(check, config, route, known))
    told = [
        (f"policies.{route.policy}.{place(number, rule.check)}", (*_lacks(check, rule, known, own), *around))
        for number, rule in own
    ]
    settings = tuple(key for key, _ in told)
    good = tuple(key for key, lacks in told if not lacks)
    if good:
        return Fulfilment(f"check:{check}", "kept", mechanism, good)
    fewest = min((lacks for _, lacks in told), key=len)
    return Fulfilment(f"check:{check}", "partly", mechanism, settings, fewest)


def place(number: int, check: str) -> str:
    """A rule as problems of the configuration name it: counted from 1, with its check."""
    return f"rules[{number + 1} {check}]"


def weak(route: Route) -> bool:
    """Whether some of its senders are no persons."""
    return any(kind(source) in WEAK for source in route.sender)


def _denies(rule: Rule) -> bool:
    return rule.mode == "enforce" and rule.action != "label"


def _fails_open(rule: Rule) -> bool:
    return rule.on_error in ("pass", "label")


def _scaled(rule: Rule) -> bool:
    return bool(getattr(rule, "scale", None))


def _around(check: str, config: Config, route: Route, known: Known) -> Iterator[Sentence]:
    """What is to be said of every rule of a check on this route."""
    of_senders = check in ("identity", "block", "credit", "limit", "repeats", "newcomer")
    if of_senders and _everybody((*route.trust, *config.server.trusted_proxies)):
        yield Sentence("anybody may say who sends (trust is too wide)", "几乎任何来源都可自称发送者（trust 范围过大）")
    if check in ("block", "credit") and weak(route):
        yield Sentence("does not concern who has not logged in (ip:, const:)", "对未登录者不起作用（ip:、const:）")
    share = known.undecided.get(check, 0.0)
    if share > UNDECIDED:
        yield Sentence(f"this node could not decide in {share:.0%} of messages", f"本节点有 {share:.0%} 的消息未能判定")


def _everybody(trusted: Iterable[IPv4Network | IPv6Network]) -> bool:
    """Whether these networks are most of the Internet, in one piece or in many."""
    four = [one for one in trusted if isinstance(one, IPv4Network)]
    six = [one for one in trusted if isinstance(one, IPv6Network) and not one.subnet_of(LOCAL)]
    return (
        sum(one.num_addresses for one in collapse_addresses(four)) > WIDEST[4]
        or sum(one.num_addresses for one in collapse_addresses(six)) > WIDEST[6]
    )


def _lacks(check: str, rule: Any, known: Known, own: list[tuple[int, Rule]]) -> Iterator[Sentence]:
    if rule.mode == "shadow":
        yield Sentence("only watched in shadow: it changes nothing", "仅影子模式观察，不产生效果")
    if rule.action == "label":
        yield Sentence("only labels what it finds", "仅打标签，不拦截")
    if _fails_open(rule):
        yield Sentence("lets messages pass when the check fails (on_error)", "检查失败时放行（on_error）")
    if check == "keywords" and _denies(rule):
        yield from _of_keywords(known, own, open_too=_fails_open(rule))
    elif rule.check == "limit":
        yield from _of_limits(rule)
    elif check == "repeats":
        yield from _of_repeats(rule)
    if check != "credit":
        return
    if rule.check == "credit" and rule.below < LOWEST_CREDIT:
        yield Sentence(
            f"only credit below {rule.below} of 100 is found", f"仅识别低于 {rule.below} 分（满分 100）的信用"
        )
    elif rule.check == "limit" and not any(
        level >= LOWEST_CREDIT and factor <= SLOWED for level, factor in rule.scale.items()
    ):
        yield Sentence("its scale slows no low credit down", "scale 未对低信用用户收紧限制")


def _of_keywords(known: Known, own: list[tuple[int, Rule]], *, open_too: bool) -> Iterator[Sentence]:
    """The lists of all rules that deny count together: nobody has to put all words into one. ``open_too``: those of
    rules that fail open as well, as this one does."""
    rules: list[Any] = [rule for _, rule in own if _denies(rule) and (open_too or not _fails_open(rule))]
    held: dict[str, int] = {}
    for rule in rules:
        for name in rule.lists:
            held[name] = max(held.get(name, 0), known.found(name, rule.severity))
    count = sum(held.values())
    if count < FEWEST_WORDS:
        yield Sentence(
            f"its lists hold {count} words, fewer than {FEWEST_WORDS}", f"词库共 {count} 条，少于 {FEWEST_WORDS} 条"
        )


def _of_limits(rule: Any) -> Iterator[Sentence]:
    of_senders = [one for one in rule.limits if one.scope == "sender"]
    # Who has little credit may have more than others where a factor says so.
    most = max((1.0, *rule.scale.values()))
    slow = [one for one in of_senders if most * one.quota * 1e6 / one.period_us <= FASTEST]
    if not of_senders:
        yield Sentence("no limit on a sender", "没有针对发送者的限制")
    elif not slow:
        yield Sentence(
            f"a sender may send more than {FASTEST:g} messages a second", f"单个发送者每秒可发送超过 {FASTEST:g} 条"
        )
    elif (burst := most * min(one.quota for one in slow)) > MOST_AT_ONCE:
        yield Sentence(f"a sender may send {burst:,.0f} messages at once", f"单个发送者可一次连续发送 {burst:,.0f} 条")


def _of_repeats(rule: Any) -> Iterator[Sentence]:
    if rule.limit.quota > MOST_REPEATS:
        yield Sentence(f"the same text may be sent {rule.limit.quota} times", f"同一内容可重复 {rule.limit.quota} 次")
    if rule.limit.seconds < SOONEST:
        told = f"{rule.limit.seconds:g}"
        yield Sentence(f"the same text may be sent again after {told} s", f"{told} 秒后即可再次发送同一内容")
    if rule.min_length > SHORT:
        yield Sentence(
            f"texts below {rule.min_length} characters repeat freely", f"少于 {rule.min_length} 个字符的内容可随意重复"
        )
    if rule.senders > MOST_SENDERS:
        yield Sentence(f"counts from {rule.senders} senders on only", f"仅在达到 {rule.senders} 名发送者后才计数")
