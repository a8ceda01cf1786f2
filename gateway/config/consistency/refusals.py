"""A route's ``refusal``: what each shape is made of, and which of them are ever asked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from gateway.config.consistency.document import Found, Path, table, tables, text, texts
from gateway.config.consistency.translation import similar
from gateway.config.values.html_places import unsafe
from gateway.http.server.shapes import ECHOES, REFUSALS, is_of
from gateway.obligations.regulations.sentence import Sentence
from gateway.sentences.known import known
from gateway.surfaces.formats import FORMATS

if TYPE_CHECKING:
    from gateway.config.sections.routes import Route

NOTICES = (*REFUSALS, "delay", "mask", "unmute")
_MARKUP = re.compile(r"(?:html|xml)(?:;|$)")
_IN_ARRAY = re.compile(r"json:/[0-9]+(?:/|$)")
_WAYS = ("body", "page", "redirect", "silent")


def problems(document: dict[str, Any]) -> Found:
    """Everything about the shapes of refusals that one key alone cannot show."""
    for place, route in tables(document, "routes"):
        path: Path = ("routes", place, "refusal")
        one = isinstance(route.get("refusal"), dict)
        shapes = [(0, table(route, "refusal"))] if one else list(tables(route, "refusal"))
        socket = text(route, "transport") == "websocket"
        open_before: set[str] = set()  # verdicts that a shape without a condition tells already
        for at, shape in shapes:
            own: Path = path if one else (*path, at)
            yield from _shape(shape, own, socket)
            if "appeals" not in document and "{code}" in f"{shape.get('body')}{shape.get('redirect')}":
                yield own, "has {code}, and nobody makes codes: add [appeals], or leave it out"
            verdicts = set(texts(shape, "verdicts") or REFUSALS)
            if verdicts <= open_before:
                yield own, "is never asked: what stands before it tells the same, without a condition"
            if not (shape.get("reasons") or shape.get("accepts") or shape.get("redirect")):
                open_before |= verdicts


def _shape(shape: dict[str, Any], path: Path, socket: bool) -> Found:
    ways = [way for way in _WAYS if shape.get(way) or (way == "body" and way in shape)]
    if len(ways) != 1:
        said = f"has {' and '.join(ways)}: choose one" if ways else "says nothing: give it a body, or page, or redirect"
        yield path, said
        return
    way = ways[0]
    if socket and way in ("page", "redirect"):
        yield (*path, way), "is for HTTP: a notice on a WebSocket is a body"
    if not socket and way == "silent":
        yield (*path, way), "is for WebSocket routes: a request has to be answered"
    for key in ("accepts", "headers", "status") if socket else ():
        if shape.get(key):
            yield (*path, key), "is for HTTP: a notice on a WebSocket has none"
    if text(shape, "type") and not isinstance(shape.get("body"), str):
        yield (*path, "type"), "is for a body that is a text"
    if (body := text(shape, "body")) and _MARKUP.search(text(shape, "type")) and (where := unsafe(body, ECHOES)):
        yield (
            (*path, "body"),
            f"repeats a value {where}, where escaping does not make it harmless: put it between tags or leave it out",
        )
    status = shape.get("status")
    if way == "redirect" and isinstance(status, int) and status not in (302, 303):
        yield (*path, "status"), "is no redirect that a form follows with GET: write 303, or leave it out"
    codes = list(known())
    for at, reason in enumerate(texts(shape, "reasons")):
        if not any(is_of(code, reason) for code in codes):
            groups = sorted({code.partition(".")[0] for code in codes})
            yield (*path, "reasons", at), "is not a reason that anybody is told" + similar(reason, [*groups, *codes])


def _strict(route: Route) -> Sentence | None:
    """What frames are, where an object of JSON that nobody knows is no frame at all: text, arrays as Phoenix has them,
    and graphql-transport-ws, which has to close the socket (its protocol, “Invalid message”). None for others."""
    payload = FORMATS[route.format].payload
    if payload == "text":
        return Sentence("frames are text", "帧是纯文本")
    tests = [
        {f"json:{place}": wanted} for one in (route.message_when, route.relay_when) for place, wanted in one.items()
    ]
    tests += [dict(kind.when) for kind in route.messages]
    read = [
        *route.text,
        *(source for kind in route.messages for source in kind.text),
        *(one for test in tests for one in test),
    ]
    if any(_IN_ARRAY.match(source) for source in read):
        return Sentence("frames are arrays", "帧是数组")
    types = [test["json:/type"] for test in tests if "json:/type" in test]
    said = {one for wanted in types for one in ([wanted] if isinstance(wanted, str) else wanted)}
    if said & {"subscribe", "connection_init"}:
        return Sentence("frames are those of graphql-transport-ws", "帧属于 graphql-transport-ws")
    return None


def doubts(route: Route) -> Iterator[Sentence]:
    """Notices of ours that would stand among the platform's own frames."""
    if route.transport != "websocket":
        return
    if not route.refusal:
        if frames := _strict(route):
            yield Sentence(
                f"routes[{route.name}].refusal: is missing; {frames.en}, whose clients break off at a notice of "
                "Tidegate's, an object of JSON; give each verdict a shape, or silent = true",
                f"routes[{route.name}].refusal：缺失；{frames.zh}，客户端遇到 Tidegate 的通知（JSON 对象）会断开；"
                "请给每种结论写出形式，或写 silent = true",
            )
        return
    told = {verdict for shape in route.refusal if not shape.reasons for verdict in shape.verdicts}
    seldom = {"hold"} if route.delay else {"hold", "delay"}
    missing = [verdict for verdict in NOTICES if verdict not in told and verdict not in seldom]
    if missing:
        yield Sentence(
            f"routes[{route.name}].refusal: {', '.join(missing)} are told as Tidegate words them, between the "
            "platform's own frames; give them a shape, or silent = true",
            f"routes[{route.name}].refusal：{'、'.join(missing)} 以 Tidegate 自己的形式夹在平台的帧之间；"
            "请给出形式，或写 silent = true",
        )
