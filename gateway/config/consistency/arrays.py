"""Arrays in a body: elements that are messages (``each``), and those that are texts of one message (``*``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from gateway.config.consistency.document import Found, Path, tables, text, texts
from gateway.obligations.regulations.sentence import Sentence
from gateway.surfaces.bodies import when
from gateway.surfaces.input.pointer import INDEX
from gateway.surfaces.input.settings import COMPOSED

if TYPE_CHECKING:
    from gateway.config.sections.policies import Policy
    from gateway.config.sections.routes import Route

_FACTS = ("sender", "room", "device", "registrant", "location", "verified", "level", "playback", "shown_sender")


def problems(document: dict[str, Any]) -> Found:
    """Everything about arrays that one key alone cannot show."""
    for place, route in tables(document, "routes"):
        path: Path = ("routes", place)
        each = text(route, "each")
        if each:
            yield from _each(route, path)
        elif route.get("cut_refused") is True:
            yield (*path, "cut_refused"), "says what becomes of refused elements: say which they are with each"
        if not each.removesuffix("/*"):
            for key in _FACTS:
                if any(source.startswith("whole:") for source in _listed(route, key)):
                    yield (*path, key), f"reads “whole:”, and {_alone(each)}: write json:"
            for at, kind in tables(route, "messages"):
                if _whole(kind):
                    yield (*path, "messages", at), f"reads “whole:”, and {_alone(each)}: write json:"


def _each(route: dict[str, Any], path: Path) -> Found:
    if text(route, "transport") == "websocket":
        yield (*path, "each"), "is for HTTP routes: a frame with several messages has a format of its own"
    kinds = [kind for _, kind in tables(route, "messages") if kind.get("relay") is not True]
    read = [source for one in (route, *kinds) for source in texts(one, "text")]
    if read and not any(source.startswith("json:") for source in read):
        yield (*path, "each"), "is an array of JSON, and no text is read from JSON: leave it out"
    if route.get("upstream_id"):
        yield (
            (*path, "upstream_id"),
            "does not go with each: which part of an answer belongs to which message is known to the platform alone; "
            "write our id into the message instead (id_to)",
        )
    if text(route, "id_to").startswith("header:"):
        yield (*path, "id_to"), "is one header for several messages: with each, write a json: pointer"


def _alone(each: str) -> str:
    return "nothing stands around the elements of an array that is the whole body" if each else "there is no each"


def _listed(route: dict[str, Any], key: str) -> list[str]:
    return [one for source in texts(route, key) for one in (COMPOSED.findall(source) or [source.removeprefix("hash:")])]


def _whole(kind: dict[str, Any]) -> bool:
    condition = kind.get("when")
    try:
        when.check(condition)
    except ValueError:
        return False  # told where it is read
    read = list(when.read_by(condition)) if isinstance(condition, Mapping) else []
    return any(source.startswith("whole:") for source in (*read, *_listed(kind, "room")))


def doubts(route: Route, policies: Mapping[str, Policy]) -> Iterator[Sentence]:
    """What is allowed, and lets one element speak for another, or surprises the platform's clients."""
    key = f"routes[{route.name}]"
    if route.each:
        yield from _of_each(key, route, policies)
    spread: set[str] = set()
    for kind in route.kinds or (route,):
        arrays = [source.partition("*")[0] for source in kind.text if source.startswith("json:") and "/*" in source]
        spread.update(arrays)
        if arrays and kind.optional_text:
            yield Sentence(
                f"{key}.text: reads every element of an array, and optional_text is true: a message may hold elements "
                "without a text alone, and nothing of them is judged",
                f"{key}.text：读取数组的每个元素，而 optional_text 为 true："
                "消息可以只含没有文字的元素，其中什么也不判定",
            )
        facts = [one for name in _FACTS for source in _several(getattr(kind, name)) for one in _plain(source)]
        conditions = [f"json:{place}" for place in (*kind.message_when, *kind.relay_when)]
        yield from _of_one(key, arrays, dict.fromkeys([*facts, *conditions]))
    conditions = [source for kind in route.messages for source in when.read_by(kind.when)]
    yield from _of_one(key, spread, dict.fromkeys(conditions))


def _of_each(key: str, route: Route, policies: Mapping[str, Policy]) -> Iterator[Sentence]:
    if route.cut_refused:
        yield Sentence(
            f"{key}.cut_refused: leaves elements out, so that the platform's answer is shorter, and clients that "
            "count its parts take one for another; they are told by the header Tidegate-Refused",
            f"{key}.cut_refused：会去掉元素，因此平台的答复变短，按顺序对应的客户端会弄错；"
            "由响应头 Tidegate-Refused 告知",
        )
    if any(not shape.body or isinstance(shape.body, str) for shape in route.refusal):
        yield Sentence(
            f"{key}.refusal: answers an array of messages with one text; a table is answered as a list of tables",
            f"{key}.refusal：以一段文字答复一组消息；写成表则以表的列表答复",
        )
    for name in dict.fromkeys(kind.policy for kind in route.kinds or (route,)):
        rules = [rule for rule in policies[name].rules if rule.mode == "enforce"]
        if any("label" in (rule.action, rule.on_error) for rule in rules):
            yield Sentence(
                f"{key}.policy: {name} labels messages, and Tidegate-Label stands for the whole request: which element "
                "it is about stands in the record alone",
                f"{key}.policy：{name} 给消息加标签，而 Tidegate-Label 针对整个请求：所指的元素只写在记录中",
            )


def _of_one(key: str, arrays: Any, sources: Mapping[str, None]) -> Iterator[Sentence]:
    """Sources that read of one element what every one may say otherwise."""
    for source in sources:
        for array in arrays:
            rest = source.removeprefix(array)
            if rest != source and INDEX.fullmatch(rest.partition("/")[0]):
                yield Sentence(
                    f"{key}: “{source}” reads one element of an array, of which every element is read as text; the "
                    "others may say something else: make each a message of its own (each)",
                    f"{key}：“{source}” 读取数组的一个元素，而该数组的每个元素都作为文字读取；其他元素可能另有内容："
                    "请让每个元素成为单独的消息（each）",
                )
                break


def _several(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _plain(source: str) -> list[str]:
    return COMPOSED.findall(source) or [source.removeprefix("hash:")]
