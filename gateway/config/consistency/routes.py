"""Routes against the sections they refer to, and against each other."""

from __future__ import annotations

from typing import Any

from gateway.common.units import duration
from gateway.config.consistency.document import Found, Path, table, tables, text, texts
from gateway.config.consistency.translation import nearest
from gateway.config.values.source_names import TEXTS
from gateway.http.server.router import READING
from gateway.http.wire.path import Template, parse_template
from gateway.obligations.regulations.articles import services
from gateway.surfaces import SURFACES
from gateway.surfaces.formats import FORMATS
from gateway.surfaces.input.settings import COMPOSED
from gateway.surfaces.surface import EDITS

PERSONAL = ("sender", "device", "registrant", "location", "verified", "level")
PROVEN = ("jwt", "whoami", "ip", "const")
"""A token carries its own proof, the platform knows its people, and no request says which address it comes from;
anything else in one can be written by anybody."""
ONLY_JUDGED = (
    "policy",
    "news",
    "delay",
    "sender",
    "whoami",
    "text",
    "parts",
    "message_when",
    "relay_when",
    "messages",
    "takedown",
    "release",
    "page",
    "refusal",
    "edit",
    "each",
    "cut_refused",
    "unjudged",
    "method_override",
)
_Shape = tuple[bytes, bytes, tuple[bytes | None, ...], bool]
SOURCES = (*PERSONAL, "room", "text", "parts", "playback", "shown_sender")


def problems(document: dict[str, Any]) -> Found:
    """Everything about routes that one key alone cannot show."""
    names: dict[str, int] = {}
    shapes: dict[_Shape, str] = {}
    for place, route in tables(document, "routes"):
        path: Path = ("routes", place)
        name = text(route, "name")
        if name in names:
            yield (*path, "name"), f"is the name of route {names[name] + 1} as well: give each its own"
        elif name:
            names[name] = place
        template = _template(text(route, "match"))
        if template is not None:
            for method in template.methods:
                shape = (method, template.host, template.segments, template.below)
                if shape in shapes:
                    yield (
                        (*path, "match"),
                        f"matches the same requests as route “{shapes[shape]}”: change or remove one of the two",
                    )
                    break
                shapes[shape] = name or str(place + 1)
        yield from _references(document, route, path)
        if text(route, "surface"):
            yield from _judged(document, route, path, template)
        else:
            yield from _relayed(document, route, path)
        yield from _sources(document, route, path, template)
    yield from _overridden(document, shapes)


def _overridden(document: dict[str, Any], shapes: dict[_Shape, str]) -> Found:
    """A POST stands for another method where no route has it, and by one thing."""
    said: dict[tuple[bytes, tuple[bytes | None, ...], bool], str] = {}
    for place, route in tables(document, "routes"):
        path: Path = ("routes", place, "method_override")
        by = text(route, "method_override")
        template = _template(text(route, "match"))
        if not by or template is None or not text(route, "surface"):
            continue
        address = template.host, template.segments, template.below
        owner = shapes.get((b"POST", *address))
        if text(route, "transport") == "websocket":
            yield path, "is for HTTP routes: a WebSocket is opened by GET"
        elif b"POST" in template.methods:
            yield path, "needs a match without POST: a POST that names one of its methods is judged by it as it is"
        elif owner is not None:
            yield (
                path,
                f"needs the POST of this address, which route “{owner}” has: change or remove one of the two",
            )
        elif not set(template.methods) - READING:
            yield path, "needs a method that a POST can stand for, such as PATCH: it would write by what only reads"
        elif said.setdefault(address, by) != by:
            yield path, f"is “{said[address]}” on another route of this address: write one of the two on both"


def _template(match: str) -> Template | None:
    try:
        return parse_template(match)
    except ValueError:
        return None


def _references(document: dict[str, Any], route: dict[str, Any], path: Path) -> Found:
    for key, section in (("upstream", "upstreams"), ("policy", "policies")):
        wanted, known = text(route, key), list(table(document, section))
        if wanted and wanted not in known:
            yield (*path, key), f"is not in [{section}]" + nearest(wanted, known)
    for at, service in enumerate(texts(route, "services")):
        if service not in services():
            yield (
                (*path, "services", at),
                "is not a service that the table of articles knows" + nearest(service, sorted(services())),
            )


def _judged(document: dict[str, Any], route: dict[str, Any], path: Path, template: Template | None) -> Found:
    if not text(route, "policy"):
        yield (*path, "policy"), "is missing: a route with a surface is judged by a policy"
    if not route.get("text") and not route.get("messages"):
        yield (*path, "text"), "is missing: say what is judged, such as “json:/content”"
    if not route.get("sender"):
        yield (*path, "sender"), "is missing: say who sends, such as “header:X-User-Id”"
    kinds = [kind for _, kind in tables(route, "messages") if kind.get("relay") is not True]
    placed = "room" in route or (kinds and all("room" in kind for kind in kinds))
    if not placed and template is not None and "room" not in template.names:
        yield (
            (*path, "match"),
            "names no {room}: write the place of messages into the path as {room}, or say where it stands with room",
        )
    if "removal" in route:
        yield (*path, "removal"), "does not go with a surface: deletions have a route of their own"
    socket = text(route, "transport") == "websocket"
    if socket and template is not None and template.methods != (b"GET",):
        yield (*path, "match"), "is not a GET: a WebSocket is opened by GET (RFC 6455, section 4.1)"
    shape = text(route, "format", "json")
    if not socket and shape != "json":
        yield (*path, "format"), "is for WebSocket routes: the Content-Type tells what an HTTP body is"
    for at, source in enumerate(texts(route, "text")):
        kind = source.partition(":")[0]
        key = (*path, "text", at) if isinstance(route.get("text"), list) else (*path, "text")
        if kind not in TEXTS:
            yield key, "is not in the body: judged text is read by json:, form:, filename: or text:"
        elif socket and shape in FORMATS and kind != FORMATS[shape].payload:
            yield key, f"cannot be read from frames of format “{shape}”"
    traits = SURFACES.get(text(route, "surface"))
    if traits is not None and traits.mirrored:
        yield from _mirrored(document, route, path)
    if traits is not None and not traits.edits:
        yield from _never_edited(route, path, template)
    yield from _deletion(route, path)
    yield from _release(document, route, path)
    yield from _whoami(document, route, path)


def _whoami(document: dict[str, Any], route: dict[str, Any], path: Path) -> Found:
    senders = [source.removeprefix("hash:") for source in texts(route, "sender")]
    whoami = route.get("whoami")
    if not isinstance(whoami, dict):
        if "whoami:" in senders:
            yield (*path, "whoami"), "is missing: say at which address the platform is asked who sends"
        return
    if "whoami:" not in senders:
        yield (*path, "whoami"), "is asked for nothing: write “whoami:” among the sources of sender, or remove it"
    elif text(whoami, "on_error") == "pass" and senders.index("whoami:") == len(senders) - 1:
        yield (
            (*path, "whoami", "on_error"),
            "is “pass”, and no source of sender follows “whoami:”: write one that counts then, such as “hash:ip:”, or "
            "“reject”",
        )
    log_outs = texts(whoami, "logout")
    if not log_outs and _seconds(whoami, "bridge"):
        yield (
            (*path, "whoami", "bridge"),
            "is without logout: nobody would hear that somebody has logged out; name those requests, such as "
            "“POST /api/logout”, or remove bridge",
        )
    for _, other in tables(document, "routes"):
        if text(other, "surface") and text(other, "match") in log_outs:
            yield (
                (*path, "whoami", "logout"),
                f"names what route “{text(other, 'name')}” judges: a log-out is a request that is relayed",
            )


def _seconds(value: dict[str, Any], key: str) -> float:
    try:
        return duration(value.get(key, 0))
    except ValueError:
        return 0.0


def _mirrored(document: dict[str, Any], route: dict[str, Any], path: Path) -> Found:
    if not isinstance(document.get("mirror"), dict):
        yield (
            ("mirror",),
            f"is missing: route “{text(route, 'name')}” carries bullets, and no bullet goes without its static "
            "version; add a [mirror] table, it may be empty",
        )
    page = text(route, "page")
    if not page:
        yield (*path, "page"), "is missing: name the page that shows bullets and static list, such as “/videos/{room}”"
    elif "{room}" not in page:
        yield (*path, "page"), "has no {room}: each room's list stands on its own page"
    if text(route, "content", "always") != "always":
        yield (*path, "content"), "is not “always”: the static version is rendered from the recorded text"


def _never_edited(route: dict[str, Any], path: Path, template: Template | None) -> Found:
    edits = [method.decode() for method in template.methods if method in EDITS] if template is not None else []
    if edits and route.get("edit") is not False:
        yield (
            (*path, "match"),
            f"has {edits[0]}, by which a bullet is edited: an edit does not name what it replaces, and both would "
            "stand in the static version; leave it out, and have bullets deleted and sent anew, or write edit = false "
            "where it sends a new one",
        )
    if route.get("edit") is True:
        yield (
            (*path, "edit"),
            "makes every bullet an edit, which does not name what it replaces: both would stand in the static version; "
            "leave it out, and have bullets deleted and sent anew",
        )


def _deletion(route: dict[str, Any], path: Path) -> Found:
    for key, kinds, where in (
        ("upstream_id", ("json",), "the platform's id is read from the JSON of its answer, such as “json:/id”"),
        ("id_to", ("json", "header"), "our id is written into the message's JSON or into a header of the request"),
    ):
        source = text(route, key)
        if source and source.partition(":")[0] not in kinds:
            yield (*path, key), f"is not a {' or '.join(f'{kind}:' for kind in kinds)} source: {where}"
    id_to = text(route, "id_to")
    if id_to.startswith("header:") and text(route, "transport") == "websocket":
        yield (*path, "id_to"), "is a header: frames have none; write a json: pointer, or leave it out"
    if id_to.startswith("json:"):
        others = [source for source in texts(route, "text") if not source.startswith("json:")]
        if others:
            instead = "leave it out" if text(route, "transport") == "websocket" else "use a header:"
            yield (*path, "id_to"), f"is a place in JSON, but text reads “{others[0]}” as well: {instead}"
        elif id_to in texts(route, "text"):
            yield (*path, "id_to"), "is where the text stands: choose another key"
    takedown = route.get("takedown")
    if not isinstance(takedown, dict):
        return
    if not route.get("upstream_id") and not route.get("id_to"):
        yield (
            (*path, "takedown"),
            "needs upstream_id or id_to: otherwise the platform cannot know which message is meant",
        )
    template = _template(text(takedown, "match"))
    if template is not None and (strange := [one for one in template.names if one not in {"id", "room"}]):
        yield (
            (*path, "takedown", "match"),
            f"has the unknown placeholder {{{strange[0]}}}: known are {{id}} and {{room}}",
        )


def _release(document: dict[str, Any], route: dict[str, Any], path: Path) -> Found:
    socket = text(route, "transport") == "websocket"
    release = route.get("release")
    told = release if isinstance(release, dict) else {}
    replays, leads = "replay" in told, bool(text(told, "match"))
    policies = table(document, "policies")
    named = [text(route, "policy"), *(text(kind, "policy") for _, kind in tables(route, "messages"))]
    holding = next((name for name in named if name in policies and _holds(policies[name])), None)
    if holding is not None and not leads and not (replays and not socket) and told.get("ticket") is not True:
        yield (
            (*path, "release"),
            f"is missing: policy “{holding}” holds messages, and nothing says how one gets to the platform once "
            "somebody approved it; give [routes.release] a match, a replay, or ticket = true",
        )
    if replays and socket:
        yield (*path, "release", "replay"), "is not for sockets: a frame cannot be sent again; write match, or ticket"
    if replays and leads:
        yield (*path, "release", "replay"), "has no effect beside match: remove one of the two"
    for key in ("on_behalf", "headers", "idempotent", "retry_for"):
        if key in told and not leads and not replays:
            yield (*path, "release", key), "has no effect without match or replay: nothing is sent"
    template = _template(text(told, "match"))
    if template is not None and (strange := [one for one in template.names if one != "room"]):
        yield (*path, "release", "match"), f"has the unknown placeholder {{{strange[0]}}}: known is {{room}}"
    if template is not None and len(template.methods) > 1:
        yield (*path, "release", "match"), "has several methods: write the one by which is published"


def _holds(policy: Any) -> bool:
    """Whether anything can be held by a policy."""
    return any(
        "hold" in (text(rule, "action"), text(rule, "on_error")) and text(rule, "mode") != "shadow"
        for _, rule in tables(policy, "rules")
    )


def _relayed(document: dict[str, Any], route: dict[str, Any], path: Path) -> Found:
    for key in ONLY_JUDGED:
        if key in route and "surface" not in route:
            yield (*path, key), "has no effect without a surface: add surface, or remove it"
    removal = route.get("removal")
    if not isinstance(removal, dict):
        return
    kind, _, name = text(removal, "id").partition(":")
    template = _template(text(route, "match"))
    if kind in {"jwt", "text"}:
        yield (*path, "removal", "id"), "cannot name a message: write path:, query:, header:, json: or form:"
    elif kind == "path" and template is not None and name not in template.names:
        yield (*path, "removal", "id"), f"reads {{{name}}}, which match does not have: add it to match"
    others = {text(other, "name"): other for _, other in tables(document, "routes") if text(other, "surface")}
    of = text(removal, "of")
    if of and of not in others:
        yield (*path, "removal", "of"), "is not a judged route" + nearest(of, list(others))
    elif of and text(removal, "by", "platform") == "platform" and not others[of].get("upstream_id"):
        yield (
            (*path, "removal", "by"),
            f"is “platform”, but route “{of}” does not learn the platform's ids: give it upstream_id",
        )


def _sources(document: dict[str, Any], route: dict[str, Any], path: Path, template: Template | None) -> Found:
    jwt = isinstance(document.get("jwt"), dict)
    listed = [(key, source) for key in SOURCES for source in texts(route, key)]
    listed += [("messages", one) for _, kind in tables(route, "messages") for one in texts(kind, "room")]
    listed = [(key, one) for key, source in listed for one in (COMPOSED.findall(source) or [source])]
    for key, source in listed:
        if source:
            kind, _, name = source.removeprefix("hash:").partition(":")
            if kind == "path" and template is not None and name not in template.names:
                yield (
                    (*path, key),
                    f"reads {{{name}}}, which match does not have: add it to match, or read another source",
                )
            if kind == "jwt" and not jwt:
                yield (*path, key), "reads a token, but there is no [jwt] section: add one with keys or jwks"
    trusted = bool(route.get("trust")) or bool(table(document, "server").get("trusted_proxies"))
    if text(route, "surface") and not trusted:
        vouched = [
            key
            for key in PERSONAL
            if any(source.removeprefix("hash:").partition(":")[0] not in PROVEN for source in texts(route, key))
        ]  # fmt: skip
        if vouched:
            yield (
                (*path, "trust"),
                f"is missing: {', '.join(vouched)} can be written by anybody; name the peers whose word is taken "
                "(here or in server.trusted_proxies), or read a jwt: source",
            )
