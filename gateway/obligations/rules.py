"""What a policy's rules of one check are worth. A rule that everybody gets past is no answer, however it is called.

The bounds here are not law: they tell a rule that does something from one that only stands there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, cast

from gateway.obligations.fulfilment import Fulfilment, Known
from gateway.obligations.regulations.sentence import Sentence

if TYPE_CHECKING:
    from gateway.config import Config
    from gateway.config.sections.policies import Rule
    from gateway.config.sections.routes import Route

FEWEST_WORDS: Final = 100
"""Words that all lists of the denying keywords rules hold together: the regulations name some ten kinds of content."""
FASTEST: Final = 2.0
"""Messages a second of one sender, sustained: nobody writes faster by hand."""
MOST_REPEATS: Final = 10
"""Times that one text may be sent."""
SHORT: Final = 20
"""Code points: where only longer texts count as repeats, nearly no bullet does."""
LOWEST_CREDIT: Final = 10
"""Credit goes from 0 to 100: below this a level concerns nobody."""

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
    told = [
        (f"policies.{route.policy}.rules[{number}]", tuple(_lacks(check, rule, route, known.words, own)))
        for number, rule in own
    ]
    settings = tuple(key for key, _ in told)
    good = tuple(key for key, lacks in told if not lacks)
    if good:
        return Fulfilment(f"check:{check}", "kept", mechanism, good)
    fewest = min((lacks for _, lacks in told), key=len)
    return Fulfilment(f"check:{check}", "partly", mechanism, settings, fewest)


def _denies(rule: Rule) -> bool:
    return rule.mode == "enforce" and rule.action != "label"


def _scaled(rule: Rule) -> bool:
    return bool(getattr(rule, "scale", None))


def _lacks(
    check: str, rule: Any, route: Route, words: Mapping[str, int], own: list[tuple[int, Rule]]
) -> Iterator[Sentence]:
    if rule.mode == "shadow":
        yield Sentence("only watched in shadow: it changes nothing", "仅影子模式观察，不产生效果")
    if rule.action == "label":
        yield Sentence("only labels what it finds", "仅打标签，不拦截")
    if rule.on_error in ("pass", "label"):
        yield Sentence("lets messages pass when the check fails (on_error)", "检查失败时放行（on_error）")
    if check == "keywords" and _denies(rule):
        yield from _of_keywords(words, own)
    elif check == "limit":
        yield from _of_limits(rule)
    elif check == "repeats":
        yield from _of_repeats(rule)
    elif rule.check == "credit" and rule.below < LOWEST_CREDIT:
        yield Sentence(
            f"only credit below {rule.below} of 100 is found", f"仅识别低于 {rule.below} 分（满分 100）的信用"
        )
    if check in ("identity", "block", "credit") and any(one.prefixlen == 0 for one in route.trust):
        yield Sentence(
            "anybody may say who sends (trust holds every address)", "任何来源都可自称发送者（trust 包含所有地址）"
        )


def _of_keywords(words: Mapping[str, int], own: list[tuple[int, Rule]]) -> Iterator[Sentence]:
    """The lists of all rules that deny count together: nobody has to put all words into one."""
    lists = {name for _, rule in own if _denies(rule) for name in cast(Any, rule).lists}
    held = sum(words.get(name, 0) for name in lists)
    if held < FEWEST_WORDS:
        yield Sentence(
            f"its lists hold {held} words, fewer than {FEWEST_WORDS}", f"词库共 {held} 条，少于 {FEWEST_WORDS} 条"
        )


def _of_limits(rule: Any) -> Iterator[Sentence]:
    of_senders = [one for one in rule.limits if one.scope == "sender"]
    if not of_senders:
        yield Sentence("no limit on a sender", "没有针对发送者的限制")
    elif min(one.quota * 1e6 / one.period_us for one in of_senders) > FASTEST:
        yield Sentence(
            f"a sender may send more than {FASTEST:g} messages a second", f"单个发送者每秒可发送超过 {FASTEST:g} 条"
        )


def _of_repeats(rule: Any) -> Iterator[Sentence]:
    if rule.limit.quota > MOST_REPEATS:
        yield Sentence(f"the same text may be sent {rule.limit.quota} times", f"同一内容可重复 {rule.limit.quota} 次")
    if rule.min_length > SHORT:
        yield Sentence(
            f"texts below {rule.min_length} characters repeat freely", f"少于 {rule.min_length} 个字符的内容可随意重复"
        )
