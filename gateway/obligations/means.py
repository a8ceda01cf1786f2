"""What can answer an article, in one table: rules of each check, and what else the gateway does.

What a later version brings is in it too, as not kept, so that the table says what is missing instead of hiding it.
``TESTS`` names the test that holds each of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Final

from filters.checks import CHECKS
from gateway.obligations import rules
from gateway.obligations.fulfilment import Fulfilment, Grade, Known
from gateway.obligations.regulations.sentence import Sentence

if TYPE_CHECKING:
    from gateway.config import Config
    from gateway.config.sections.routes import Route

DAY: Final = 86_400
ADDRESS: Final = "ip"

Means = Callable[["Config", "Route", Known], Fulfilment]


def _hold(config: Config, route: Route, known: Known) -> Fulfilment:
    mechanism = Sentence("held until a person has reviewed it", "先审后发")
    rules_held = [
        (number, rule)
        for number, rule in enumerate(config.policies[route.policy].rules)
        if rule.action == "hold" and rule.mode == "enforce"
    ]
    if not rules_held:
        return Fulfilment("hold", "not", mechanism, (), (Sentence("no hold rule", "没有 hold 规则"),))
    settings = tuple(f"policies.{route.policy}.{rules.place(number, rule.check)}" for number, rule in rules_held)
    if route.news:  # which does not start without a rule that holds everything and fails closed
        return Fulfilment("hold", "kept", mechanism, (f"routes.{route.name}.news", *settings))
    lacks = []
    if all(rule.check != "review" for _, rule in rules_held):
        lacks.append(Sentence("only what a check finds is held", "仅命中检查的内容先审后发"))
    lacks.append(Sentence("news = true does not hold it to that", "未设置 news = true，不作强制"))
    return Fulfilment("hold", "partly", mechanism, settings, tuple(lacks))


def _mirror(config: Config, route: Route, known: Known) -> Fulfilment:
    mechanism = Sentence("static version of bullets on their page", "弹幕静态版")
    if config.mirror is None or not route.page:
        return Fulfilment("mirror", "not", mechanism, (), (Sentence("no mirror", "未配置静态版"),))
    unseen = Sentence(
        "whether the platform's page holds the list is seen on a running node (--live)",
        "平台页面是否包含静态列表需在运行中的节点上确认（--live）",
    )
    lacks = () if known.contained else (unseen,)
    return _graded("mirror", mechanism, (f"routes.{route.name}.page", "mirror"), lacks)


def _retention(config: Config, route: Route, known: Known) -> Fulfilment:
    days = int(config.journal.keep_at_least // DAY)
    mechanism = Sentence(f"records kept for at least {days} days", f"记录至少保存 {days} 天")
    lacks = _durable(config)
    if ADDRESS not in route.keep:
        lacks += (
            Sentence(
                f'records name no network address (keep = ["{ADDRESS}"])', f'记录中没有网络地址（keep = ["{ADDRESS}"]）'
            ),
        )
    return _graded("retention", mechanism, ("journal.keep_at_least", f"routes.{route.name}.keep"), lacks)


def _records(config: Config, route: Route, known: Known) -> Fulfilment:
    mechanism = Sentence("each verdict and each manual act is recorded", "每次判定和每次人工操作都有记录")
    return _graded("records", mechanism, ("journal.fsync",), _durable(config))


def _durable(config: Config) -> tuple[Sentence, ...]:
    if config.journal.fsync != "no":
        return ()
    return (Sentence("a power cut may lose records (journal.fsync)", "断电可能丢失记录（journal.fsync）"),)


def _content(config: Config, route: Route, known: Known) -> Fulfilment:
    mechanism = Sentence("the text itself is recorded", "记录正文")
    setting = (f"routes.{route.name}.content",)
    if route.content_kept == "always":
        return Fulfilment("content", "kept", mechanism, setting)
    if route.content_kept == "never":
        return Fulfilment("content", "not", mechanism, setting, (Sentence("texts are not kept", "不保存正文"),))
    only = Sentence("only texts in which something was found are kept", "仅保存有命中的正文")
    return Fulfilment("content", "partly", mechanism, setting, (only,))


def _blacklist(config: Config, route: Route, known: Known) -> Fulfilment:
    blocks = rules.answer("block", config, route, known)._replace(
        means="blacklist", mechanism=Sentence("blacklist of senders and registrants", "发送者和注册人黑名单")
    )
    if blocks.grade == "not" or route.registrant:
        return blocks
    missing = Sentence("registrant is not read: a new registration is a stranger", "未读取注册人标识，重新注册即可绕过")
    return blocks._replace(grade="partly", lacks=(*blocks.lacks, missing))


def _takedown(config: Config, route: Route, known: Known) -> Fulfilment:
    mechanism = Sentence("what was published is taken down at the platform, and confirmed", "已发布内容的下架与确认")
    if route.takedown:
        return Fulfilment("takedown", "kept", mechanism, (f"routes.{route.name}.takedown",))
    return Fulfilment("takedown", "not", mechanism, (), (Sentence("no takedown address", "未配置下架地址"),))


def _appeals(config: Config, route: Route, known: Known) -> Fulfilment:
    mechanism = Sentence("refusals are appealed by a code, and decided by somebody else", "凭编号申诉，由其他人员复核")
    if config.appeals is None:
        return Fulfilment("appeals", "not", mechanism, (), (Sentence("no [appeals]", "未配置 [appeals]"),))
    lacks: tuple[Sentence, ...] = ()
    if "{code}" not in config.policies[route.policy].appeal:
        lacks += (Sentence("refusals do not lead to where appeals are taken", "拒绝发布时未给出申诉入口"),)
    if config.appeals.same_person:
        lacks += (Sentence("the same person may decide again", "允许同一人员复核自己的决定"),)
    settings: tuple[str, ...] = ("appeals", f"policies.{route.policy}.appeal")
    if config.desk.on_call is not None:  # an overdue one calls somebody
        settings += ("desk.on_call",)
    return _graded("appeals", mechanism, settings, lacks)


def _emergency(config: Config, route: Route, known: Known) -> Fulfilment:
    if config.desk.on_call is None or not config.desk.on_call.categories:
        mechanism = Sentence(
            "incidents, emergency switches and urgent words, within a second", "应急处置、应急开关与应急词，一秒内生效"
        )
        return Fulfilment("emergency", "kept", mechanism)
    mechanism = Sentence(
        "incidents, emergency switches and urgent words, within a second; somebody is called for grave categories",
        "应急处置、应急开关与应急词，一秒内生效；严重类别通知值班人员",
    )
    return Fulfilment("emergency", "kept", mechanism, ("desk.on_call.categories",))


def _minimal(config: Config, route: Route, known: Known) -> Fulfilment:
    kept = ", ".join(route.keep)
    mechanism = (
        Sentence(f"of the optional personal fields only {kept} are kept", f"可选个人信息仅保存 {kept}")
        if route.keep
        else Sentence("no optional personal field is kept", "不保存可选个人信息")
    )
    more = [field for field in route.keep if field in {"device", "location"}]
    lacks = tuple(
        Sentence(f"keeps {field}: say elsewhere why it is necessary", f"保存 {field}：需另行说明必要性")
        for field in more
    ) + tuple(
        Sentence(
            f"tells “{one.name}” who sends (callbacks.sender): say elsewhere why it is necessary",
            f"向“{one.name}”告知发送者（callbacks.sender）：需另行说明必要性",
        )
        for one in config.callbacks
        if one.sender and (not one.routes or route.name in one.routes)
    )
    return _graded("minimal", mechanism, (f"routes.{route.name}.keep",), lacks)


def _graded(means: str, mechanism: Sentence, settings: tuple[str, ...], lacks: tuple[Sentence, ...]) -> Fulfilment:
    grade: Grade = "partly" if lacks else "kept"
    return Fulfilment(means, grade, mechanism, settings, lacks)


def _always(means: str, en: str, zh: str) -> Means:
    return lambda config, route, known: Fulfilment(means, "kept", Sentence(en, zh))


def _later(means: str, en: str, zh: str) -> Means:
    lacks = (Sentence("not in this version", "本版本尚不支持"),)
    return lambda config, route, known: Fulfilment(means, "not", Sentence(en, zh), (), lacks)


MEANS: Final[Mapping[str, Means]] = {
    **{f"check:{name}": partial(rules.answer, name) for name in CHECKS},
    "hold": _hold,
    "mirror": _mirror,
    "retention": _retention,
    "content": _content,
    "blacklist": _blacklist,
    "takedown": _takedown,
    "appeals": _appeals,
    "minimal": _minimal,
    "records": _records,
    "emergency": _emergency,
    "optional": _always("optional", "a missing device or location refuses nobody", "缺少设备或位置信息不会被拒绝"),
    "watching": _always("watching", "watching is never judged", "观看不受审核"),
    "complaints": _later("complaints", "complaints", "投诉举报"),
    "patrol": _later("patrol", "patrol", "巡查"),
    "rumours": _later("rumours", "rumour notices", "辟谣"),
    "owners": _later("owners", "owner rights", "所有者管理权限"),
    "groups": _later("groups", "the life of groups", "群组生命周期"),
    "synthetic": _later("synthetic", "marks on synthetic media", "合成内容标识"),
}

TESTS: Final[Mapping[str, str]] = {
    **{f"check:{name}": f"tests/filters/checks/test_{name}.py" for name in CHECKS},
    "mirror": "tests/gateway/mirror/projector/test_bullet_projection.py",
    "retention": "tests/gateway/journal/retention/test_retention.py",
    "content": "tests/gateway/journal/write/test_record.py",
    "blacklist": "tests/filters/checks/test_block.py",
    "takedown": "tests/e2e/test_takedown.py",
    "appeals": "tests/e2e/appeals/test_appeals.py",
    "minimal": "tests/gateway/journal/write/test_record.py",
    "records": "tests/e2e/test_contract.py",
    "emergency": "tests/gateway/judging/test_overlay.py",
    "optional": "tests/gateway/surfaces/sources/test_facts.py",
    "watching": "tests/e2e/test_websocket.py",
}
"""Means without a test are not in this version."""
