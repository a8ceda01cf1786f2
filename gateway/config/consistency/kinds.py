"""A route's kinds of message (``messages``): what each needs, and how one could pass for what is relayed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from gateway.config.consistency.document import Found, Path, table, tables, text, texts
from gateway.config.consistency.translation import nearest
from gateway.config.values.source_names import TEXTS
from gateway.obligations.regulations.sentence import Sentence
from gateway.surfaces.bodies import when
from gateway.surfaces.formats import FORMATS

if TYPE_CHECKING:
    from gateway.config.sections.routes import Route

_SAID = ("text", "room", "edit", "policy", "parts", "optional_text")


def problems(document: dict[str, Any]) -> Found:
    """Everything about kinds that one key alone cannot show."""
    for place, route in tables(document, "routes"):
        path: Path = ("routes", place)
        kinds = list(tables(route, "messages"))
        if not kinds:
            if "otherwise" in route:
                yield (*path, "otherwise"), "says what becomes of no kind of message: name them with messages"
            continue
        if not text(route, "surface"):
            yield (*path, "messages"), "are judged: give the route a surface"
        frames = FORMATS.get(text(route, "format"))
        if frames is not None and not frames.kinds:
            yield (*path, "messages"), f"do not go with format “{text(route, 'format')}”: its frames have no kinds"
        for key in ("message_when", "relay_when"):
            if key in route:
                yield (*path, key), "does not go with messages: make it the condition of a kind (relay = true)"
        if all(kind.get("relay") is True for _, kind in kinds):
            yield (*path, "messages"), "are all relayed: judge at least one, or leave surface out"
        for at, kind in kinds:
            yield from _kind(document, route, kind, (*path, "messages", at))


def _kind(document: dict[str, Any], route: dict[str, Any], kind: dict[str, Any], path: Path) -> Found:
    if kind.get("relay") is True:
        for key in _SAID:
            if key in kind:
                yield (*path, key), "is said of what is relayed untouched: leave it out, or relay"
        return
    if not kind.get("text") and not route.get("text"):
        yield (*path, "text"), "is missing: say what is judged, such as “json:/content”"
    policies = list(table(document, "policies"))
    if (policy := text(kind, "policy")) and policy not in policies:
        yield (*path, "policy"), "is not in [policies]" + nearest(policy, policies)
    for source in texts(kind, "text"):
        if source.partition(":")[0] not in TEXTS:
            yield (*path, "text"), "is not in the body: judged text is read by json:, form:, filename: or text:"
        elif text(route, "transport") == "websocket" and not source.startswith("json:"):
            yield (*path, "text"), "cannot be read from frames of format “json”"


def doubts(route: Route) -> Iterator[Sentence]:
    """What is relayed because of something that its sender may write as he likes.

    A field by which every judged kind is told as well is no doubt: who writes it so that the message is relayed has
    written it so that the platform takes it for something else. Nor is what is relayed because none of the judged texts
    is there: it says nothing that could have been judged.
    """
    judged = [kind.when for kind in route.messages if not kind.relay]
    telling = set.intersection(*[set(_told_by(one)) for one in judged]) if judged else set()
    texts = {source for kind in route.messages if not kind.relay for source in (kind.text or route.text)}
    key = f"routes[{route.name}]"
    for place, kind in enumerate(route.messages):
        if kind.relay and not (texts and texts <= set(_without(kind.when))):
            loose = [source for source in dict.fromkeys(when.read_by(kind.when)) if source not in telling]
            loose = [source for source in loose if not source.startswith("path:")]
            if not loose and not _listed(kind.when):
                yield Sentence(
                    f"{key}.messages[{place + 1}]: is relayed for what does not stand there, which is much that nobody "
                    "thought of: list the values that are relayed",
                    f"{key}.messages[{place + 1}]：因缺少某项而转发，其中有许多无人想到的情形：请列出要转发的值",
                )
            if loose:
                yield Sentence(
                    f"{key}.messages[{place + 1}]: is relayed for what its sender writes into {', '.join(loose)}; a "
                    "message that the platform takes for one may say the same: tell judged kinds by that place too",
                    f"{key}.messages[{place + 1}]：因发送者写入 {'、'.join(loose)} 的内容而转发；"
                    "平台视为消息的请求也可以这样写：请让受判定的各类也以该位置区分",
                )
            elif _by_name_alone(when.read_by(kind.when)):
                yield Sentence(
                    f"{key}.messages[{place + 1}]: {_BY_NAME.en}", f"{key}.messages[{place + 1}]：{_BY_NAME.zh}"
                )
    loose = [place for place in route.relay_when if place not in route.message_when]
    if loose:
        yield Sentence(
            f"{key}.relay_when: relays for what its sender writes into {', '.join(loose)}; a message that the platform "
            "takes for one may say the same: tell messages by that place too (message_when)",
            f"{key}.relay_when：因发送者写入 {'、'.join(loose)} 的内容而转发；平台视为消息的请求也可以这样写："
            "请让消息也以该位置区分（message_when）",
        )
    elif _by_name_alone(route.relay_when):
        yield Sentence(f"{key}.relay_when: {_BY_NAME.en}", f"{key}.relay_when：{_BY_NAME.zh}")
    if route.messages and route.otherwise == "relay":
        yield Sentence(
            f"{key}.otherwise: is relay; a message in a form that no kind names is published and judged by nobody",
            f"{key}.otherwise：为 relay；形式不属于任何一类的消息会直接发布，无人判定",
        )


_BY_NAME = Sentence(
    "relays for its operationName, which only chooses among the operations of a document, and its sender writes both: "
    "list the documents that are relayed (query, or their digests)",
    "因 operationName 而转发，而它只在文档的多个操作中选一个，两者都由发送者填写：请列出要转发的文档（query 或其摘要）",
)


def _by_name_alone(sources: Iterable[str]) -> bool:
    """Whether a document of GraphQL is told by its name and not by itself."""
    names = {source.rpartition("/")[2] for source in sources}
    return "operationName" in names and not names & {"query", "sha256Hash", "documentId"}


def _listed(condition: Mapping[str, Any]) -> bool:
    """Whether there must be a value that is listed for the condition to hold."""
    for source, test in condition.items():
        if source == "all" and any(map(_listed, test)):
            return True
        if source == "any" and all(map(_listed, test)):
            return True
        if source in ("any", "all", "not"):
            continue
        if not isinstance(test, Mapping) or not {"sha256", "prefix", "null"}.isdisjoint(test):
            return True
    return False


def _without(condition: Mapping[str, Any]) -> Iterator[str]:
    """The sources that must be absent for the condition to hold."""
    for source, test in condition.items():
        if source == "all":
            for one in test:
                yield from _without(one)
        elif source not in ("any", "not") and isinstance(test, Mapping) and test.get("absent") is True:
            yield source


def _told_by(condition: Mapping[str, Any]) -> Iterator[str]:
    """The sources that must have a value of some list for the condition to hold, or be an array."""
    for source, test in condition.items():
        if source == "all":
            for one in test:
                yield from _told_by(one)
        elif source not in ("any", "not") and not (isinstance(test, Mapping) and {"sha256", "array"}.isdisjoint(test)):
            yield source
