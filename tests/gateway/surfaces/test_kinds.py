"""Several kinds of message at one address: the first that fits is read by its own rules."""

from __future__ import annotations

import gzip
from dataclasses import replace
from functools import partial
from typing import Any

import orjson
import pytest

from gateway.surfaces import compiled
from gateway.surfaces.input.decoded import Decoded, Malformed, Messages, Untouched
from gateway.surfaces.input.request import Arrived
from gateway.surfaces.input.settings import SurfaceError, SurfaceSettings
from gateway.surfaces.kinds import Kinds, KindSettings

ROUTE = SurfaceSettings(
    name="r", surface="comment", sender=("header:X-User-Id",), text=(), room=("json:/url",), optional_text=False
)
COMMENT = replace(ROUTE, text=("json:/comment", "json:/nick"))
REPLY = replace(ROUTE, text=("json:/body",), room=("json:/thread",), edit=True)
FORM = replace(ROUTE, text=("form:text",), room=("form:to",))
TWIKOO = (
    KindSettings({"json:/event": "COMMENT_SUBMIT"}, COMMENT),
    KindSettings({"json:/event": {"prefix": "REPLY_"}}, REPLY),
    KindSettings({"form:do": "say"}, FORM),
    KindSettings({"any": [{"json:/event": ["COUNT", "LIKE"]}, {"query:probe": "1"}]}, None),
)


def kinds(*several: KindSettings, otherwise: Any = "refuse", route: SurfaceSettings = ROUTE) -> Kinds:
    made = partial(compiled, new_id=lambda: "id", now_us=lambda: 0)
    return Kinds(route, several or TWIKOO, otherwise, made, lambda: "id", lambda: 0)


def ask(surface: Kinds, body: bytes, media: bytes = b"application/json", query: bytes = b"", **more: bytes) -> Decoded:
    fields = {b"x-user-id": b"u1", **({b"content-type": media} if media else {})}
    fields.update({name.replace("_", "-").encode(): value for name, value in more.items()})
    return surface.decode(Arrived(b"POST", fields, query=query, peer_trusted=True), body)


def reason(decoded: Decoded) -> str:
    assert isinstance(decoded, Malformed), decoded
    return decoded.reason


def test_each_kind_is_read_by_its_own_rules() -> None:
    told = ask(kinds(), b'{"event": "COMMENT_SUBMIT", "comment": "a", "nick": "b", "url": "/x"}')
    assert isinstance(told, Messages)
    assert (told.kind, told.messages[0].texts, told.messages[0].room, told.messages[0].edit) == (
        0,
        ("a", "b"),
        "/x",
        False,
    )
    told = ask(kinds(), b'{"event": "REPLY_NEW", "body": "c", "thread": 7}')
    assert isinstance(told, Messages)
    assert (told.kind, told.messages[0].texts, told.messages[0].room, told.messages[0].edit) == (1, ("c",), "7", True)
    told = ask(kinds(), b"do=say&text=d&to=9", b"application/x-www-form-urlencoded")
    assert isinstance(told, Messages)
    assert (told.kind, told.messages[0].texts, told.messages[0].room) == (2, ("d",), "9")


def test_what_is_changed_is_changed_in_its_own_place() -> None:
    told = ask(kinds(), b'{"event": "REPLY_NEW", "body": "c", "comment": "c", "thread": 7}')
    assert isinstance(told, Messages)
    changed = told.encode(told.body, {0: ("*",)})
    assert changed is not None
    assert orjson.loads(changed) == {"event": "REPLY_NEW", "body": "*", "comment": "c", "thread": 7}


@pytest.mark.parametrize("body", [b'{"event": "LIKE", "comment": "x"}', b'{"event": "COUNT"}'])
def test_what_is_no_message_is_relayed_as_it_came(body: bytes) -> None:
    assert ask(kinds(), body) == Untouched(body)
    zipped = ask(kinds(), gzip.compress(body), content_encoding=b"gzip")
    assert zipped == Untouched(body, identity=True)


def test_a_request_without_a_body_may_be_a_kind() -> None:
    assert ask(kinds(), b"", b"", b"probe=1") == Untouched(b"")
    for media in (b"application/json", b"application/x-www-form-urlencoded", b"multipart/form-data; boundary=x"):
        assert ask(kinds(), b"", media, b"probe=1") == Untouched(b"")  # as clients of JSON send what has no body
        assert reason(ask(kinds(), b"", media)) == "frame.unknown"
    assert reason(ask(kinds(), b"", b"")) == "frame.unknown"


@pytest.mark.parametrize(
    ("body", "media", "query", "why"),
    [
        (b'{"event": "OTHER"}', b"application/json", b"", "frame.unknown"),
        (b'{"event": ["COMMENT_SUBMIT"]}', b"application/json", b"", "frame.unknown"),
        (b'{"event": "LIKE", "event": "COMMENT_SUBMIT"}', b"application/json", b"", "body.duplicate_key"),
        (b'{"Event": "COMMENT_SUBMIT"}', b"application/json", b"", "body.key_case"),
        (b'{"event": "LIKE"}', b"application/json", b"event=COMMENT_SUBMIT", "form.twice"),
        (b"do=x&do=say", b"application/x-www-form-urlencoded", b"", "form.twice"),
        (b"[do]=say", b"application/x-www-form-urlencoded", b"", "form.alias"),
        (b'{"event": "LIKE"', b"application/json", b"", "body.not_json"),
        (b'{"event": "LIKE"}', b"image/png", b"", "type.unsupported"),
        (b'{"event": "LIKE"}', b"", b"", "type.unsupported"),
        (b'{"event": "X"}', b"application/json", b"probe=1&probe=2", "frame.unknown"),
        (b'{"event": "LIKE", "a": "&do=say&text=x"}', b"application/json", b"", "body.ambiguous"),
        (b"do=say&text=&to=9", b"application/x-www-form-urlencoded", b"", "text.empty"),
    ],
)
@pytest.mark.parametrize("otherwise", ["refuse", "relay"])
def test_what_two_readers_take_for_two_kinds_is_refused(
    otherwise: str, body: bytes, media: bytes, query: bytes, why: str
) -> None:
    told = ask(kinds(otherwise=otherwise), body, media, query)
    if otherwise == "relay" and why == "frame.unknown" and b"probe" not in query:
        assert isinstance(told, Untouched)
    else:
        assert reason(told) == why


def test_what_is_relayed_still_says_which_method_it_means() -> None:
    told = ask(kinds(), b'{"event": "LIKE", "_method": "put"}')
    assert isinstance(told, Untouched)
    assert told.method == b"PUT"


def test_documents_of_graphql_are_known_by_their_text() -> None:
    say = "mutation Say($text: String!) { say(text: $text) }"
    read = "query { comments { text } }"
    graphql = kinds(
        KindSettings({"json:/query": say}, replace(ROUTE, text=("json:/variables/text",), room=())),
        KindSettings({"json:/query": read}, None),
    )
    told = ask(graphql, orjson.dumps({"query": say, "variables": {"text": "x"}}))
    assert isinstance(told, Messages)
    assert isinstance(ask(graphql, orjson.dumps({"query": read, "operationName": "Say"})), Untouched)
    both = f"{read} {say}"
    assert reason(ask(graphql, orjson.dumps({"query": both, "operationName": "Say"}))) == "frame.unknown"
    assert reason(ask(graphql, orjson.dumps([{"query": read}, {"query": say}]))) == "frame.unknown"


def test_frames_have_kinds_too() -> None:
    route = replace(ROUTE, surface="group", room=("path:room",))
    chat = kinds(
        KindSettings({"json:/3": "new_msg"}, replace(route, text=("json:/4/body",))),
        KindSettings({"json:/3": "new_title"}, replace(route, text=("json:/4/title",))),
        KindSettings({"json:/3": {"prefix": "phx_"}}, None),
        route=route,
    )
    socket = chat.attach(Arrived(b"GET", {b"x-user-id": b"u1"}, parameters={"room": "7"}, peer_trusted=True))
    for place, (event, key) in enumerate((("new_msg", "body"), ("new_title", "title"))):
        told = socket.decode(orjson.dumps([None, "1", "t", event, {key: "x"}]), binary=False)
        assert isinstance(told, Messages)
        assert (told.kind, told.messages[0].texts, told.messages[0].room) == (place, ("x",), "7")
    assert isinstance(socket.decode(b'["1","1","t","phx_join",{}]', binary=False), Untouched)
    assert reason(socket.decode(b'["1","1","t","other",{}]', binary=False)) == "frame.unknown"
    assert reason(socket.decode(b"{", binary=False)) == "body.not_json"
    assert reason(socket.decode(b"[]", binary=True)) == "frame.type"
    assert socket.who() == ("u1", "7")


@pytest.mark.parametrize(
    ("several", "route", "said"),
    [
        ((KindSettings({"json:/a": 1}, None),), ROUTE, "judge at least one"),
        ((KindSettings({"json:/a": 1}, COMMENT),), replace(ROUTE, format="bilibili"), "have no kinds"),
        ((KindSettings({"form:a": "1", "form:[a]": "2"}, COMMENT),), ROUTE, "when"),
    ],
)
def test_settings_that_make_no_sense(several: tuple[KindSettings, ...], route: SurfaceSettings, said: str) -> None:
    with pytest.raises(SurfaceError, match=said):
        kinds(*several, route=route)


URLENCODED = b"application/x-www-form-urlencoded"
MULTIPART = b"multipart/form-data; boundary=b"
PART = b'--b\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n'
ASKED = (KindSettings({"query:action": "say"}, FORM), KindSettings({"query:action": "like"}, None))
EITHER = (
    KindSettings({"any": [{"query:action": "like"}, {"form:action": "like"}]}, None),
    KindSettings({"any": [{"query:action": "say"}, {"form:action": "say"}]}, FORM),
)
UNSAID = (KindSettings({"json:/event": "SUBMIT"}, COMMENT), KindSettings({"json:/event": {"absent": True}}, None))
BESIDE = (KindSettings({"json:/event": "SUBMIT"}, COMMENT), KindSettings({"form:do": "like"}, None))


@pytest.mark.parametrize(
    ("several", "body", "media", "query", "why"),
    [
        # $_REQUEST and Rails take what stands in the body before what stands in the query, servlets the other way.
        (ASKED, b"action=say&text=x&to=1", URLENCODED, b"action=like", "form.twice"),
        (ASKED, b"Action[]=say&text=x&to=1", URLENCODED, b"action=like", "form.twice"),
        (ASKED, PART % (b"action", b"say") + b"--b--\r\n", MULTIPART, b"action=like", "form.twice"),
        (ASKED, b'{"action": "say", "text": "x"}', b"application/json", b"action=like", "form.twice"),
        (ASKED, b'{"action": "say", "text": "x"}', b"text/plain", b"action=like", "body.ambiguous"),
        (ASKED, b"action=say&text=x", b"text/plain", b"action=like", "body.ambiguous"),
        (EITHER, b"action=say&text=x&to=1", URLENCODED, b"action=like", "form.twice"),
        (EITHER, b"action=say&text=x&to=1", URLENCODED, b"%61ction=like", "form.twice"),
        # What one body decides by does not stand in another kind of body.
        (BESIDE, b"do=like&event=SUBMIT&comment=x", URLENCODED, b"", "form.twice"),
        (UNSAID, b"event=SUBMIT&comment=x", URLENCODED, b"", "form.twice"),
        (UNSAID, PART % (b"event", b"SUBMIT") + b"--b--\r\n", MULTIPART, b"", "form.twice"),
        (UNSAID, b'{"event": "SUBMIT", "comment": "x"}', b"text/plain", b"", "body.ambiguous"),
        (UNSAID, b' [{"event": "SUBMIT", "comment": "x"}]', b"text/plain", b"", "body.ambiguous"),
        (UNSAID, b'[{"event": "SUBMIT", "comment": "x"}]', b"application/json", b"", "frame.unknown"),
    ],
)
def test_what_decides_stands_in_one_place(
    several: tuple[KindSettings, ...], body: bytes, media: bytes, query: bytes, why: str
) -> None:
    assert reason(ask(kinds(*several), body, media, query)) == why


@pytest.mark.parametrize(
    ("several", "body", "media", "query"),
    [
        (ASKED, b"", b"", b"action=like"),
        (ASKED, b"to=1", URLENCODED, b"action=like"),
        (ASKED, b'{"to": 1}', b"application/json", b"action=like"),
        (ASKED, b"to=1 {", b"text/plain", b"action=like"),
        (ASKED, b'{"to": 1', b"text/plain", b"action=like"),
        (EITHER, b"to=1", URLENCODED, b"action=like"),
        (EITHER, b"action=like", URLENCODED, b"page=2"),
        (BESIDE, b"do=like&to=2", URLENCODED, b""),
        (UNSAID, b'{"page": 1}', b"application/json", b""),
        (UNSAID, b"page=1", URLENCODED, b""),
    ],
)
def test_and_what_stands_in_one_place_is_relayed(
    several: tuple[KindSettings, ...], body: bytes, media: bytes, query: bytes
) -> None:
    assert isinstance(ask(kinds(*several), body, media, query), Untouched)


def test_a_list_is_a_kind_where_its_places_decide() -> None:
    phoenix = (KindSettings({"json:/3": "new_msg"}, replace(COMMENT, text=("json:/4/body",), room=("json:/2",))),)
    told = ask(kinds(*phoenix, KindSettings({"json:/3": "heartbeat"}, None)), b'["1", "2", "r", "heartbeat", {}]')
    assert isinstance(told, Untouched)


def test_an_object_is_no_kind_where_an_array_is_wanted() -> None:
    """A member "3" says one thing to a pointer and may say another to the platform, or nothing."""
    route = replace(COMMENT, text=("json:/4/body",), room=("json:/2",))
    body = b'{"1": "2", "2": "r", "3": "new_msg", "4": {"body": "hello"}}'
    loose = kinds(KindSettings({"json:/3": "new_msg"}, route))
    strict = kinds(KindSettings({"json:/3": "new_msg", "json:": {"array": True}}, route))
    assert isinstance(ask(loose, body), Messages)
    assert reason(ask(strict, body)) == "frame.unknown"
    assert isinstance(ask(strict, b'["1", "2", "r", "new_msg", {"body": "hello"}]'), Messages)


@pytest.mark.parametrize("number", [b"9007199254740992", b"9007199254740993", b"-9007199254740993", b"1e16"])
def test_a_number_that_some_readers_round_decides_nothing(number: bytes) -> None:
    several = (KindSettings({"json:/op": 1}, COMMENT), KindSettings({"not": {"json:/op": 1}}, None))
    assert reason(ask(kinds(*several), b'{"op": %b, "comment": "x"}' % number)) == "body.number"
