"""Elements of an array as messages: n of them are judged as n single ones, and nothing else changes."""

from __future__ import annotations

import gzip
import itertools
import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.surfaces import compiled
from gateway.surfaces.each import Each
from gateway.surfaces.input.decoded import UNASKED, Decoded, Malformed, Messages, SeveralMessages, Untouched
from gateway.surfaces.input.request import Arrived, Told
from gateway.surfaces.input.settings import SurfaceError, SurfaceSettings
from gateway.surfaces.kinds import Kinds, KindSettings
from gateway.surfaces.surface import Surface

PLAIN = SurfaceSettings(
    name="r", surface="comment", sender=("header:X-User-Id",), room=("json:/room", "path:room"), text=("json:/text",),
    each="/*",
)  # fmt: skip
KINDS = (
    KindSettings({"json:/method": "say"}, replace(PLAIN, text=("json:/params/text",))),
    KindSettings({"json:/method": "edit"}, replace(PLAIN, text=("json:/params/text",), edit=True)),
    KindSettings({"json:/method": ["count", "list"]}, None),
)


def each(route: SurfaceSettings = PLAIN, kinds: tuple[KindSettings, ...] = ()) -> Each:
    return Each(single(route, kinds), route)


def single(route: SurfaceSettings = PLAIN, kinds: tuple[KindSettings, ...] = ()) -> Surface:
    ids = map(str, itertools.count())
    made: Callable[[SurfaceSettings], Surface] = partial(compiled, new_id=lambda: next(ids), now_us=lambda: 0)
    return Kinds(route, kinds, "refuse", made, lambda: next(ids), lambda: 0) if kinds else made(route)


def ask(surface: Surface, body: bytes, media: bytes = b"application/json", query: bytes = b"", **more: Any) -> Decoded:
    fields = {b"x-user-id": b"u1", b"content-type": media, **more.pop("fields", {})}
    request = Arrived(b"POST", fields, query=query, parameters={"room": "p"}, peer_trusted=True, **more)
    return surface.decode(request, body)


def batch(decoded: Decoded) -> SeveralMessages:
    assert isinstance(decoded, SeveralMessages), decoded
    return decoded


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)
CALLS = st.fixed_dictionaries(
    {"method": st.sampled_from(["say", "edit", "count", "other", 1]), "params": st.fixed_dictionaries({"text": TEXTS})},
    optional={
        "room": st.sampled_from(["a", 7, ""]),
        "more": st.lists(st.none() | st.floats(allow_nan=False, allow_infinity=False), max_size=2),
    },
)


@settings(max_examples=300, deadline=None)
@given(st.lists(CALLS, min_size=1, max_size=6), st.sampled_from([None, 1]), st.booleans())
def test_an_array_of_messages_is_judged_as_so_many_single_ones(
    calls: list[dict[str, Any]], indent: int | None, ascii: bool
) -> None:
    written = [json.dumps(call, indent=indent, ensure_ascii=ascii).encode() for call in calls]
    alone = [ask(single(kinds=KINDS), body) for body in written]
    together = ask(each(kinds=KINDS), b" [ " + b" , ".join(written) + b"\n]")
    broken = [one for one in alone if isinstance(one, Malformed)]
    judged = [(at, one) for at, one in enumerate(alone) if isinstance(one, Messages)]
    if broken:
        assert together == broken[0]
    elif not judged:
        assert isinstance(together, Untouched)
    else:
        found = batch(together)
        assert found.places == tuple(at for at, _ in judged)
        assert found.kinds == tuple(one.kind for _, one in judged)
        assert [one._replace(id="") for one in found.messages] == [one.messages[0]._replace(id="") for _, one in judged]
        assert len({one.id for one in found.messages}) == len(found.messages)
        # Masked in one, it is masked as alone, and every other byte stays.
        which = len(judged) // 2
        place, one = judged[which]
        masked = one.encode(written[place], {0: ("*",)})
        assert masked is not None
        expected = b" [ " + b" , ".join([*written[:place], masked, *written[place + 1 :]]) + b"\n]"
        assert found.encode(found.body, {which: ("*",)}) == expected
        assert found.encode(found.body, {}) == found.body
        # Cut out, the others are as they were.
        left = found.encode(found.body, {which: None})
        rest = [call for at, call in enumerate(calls) if at != place]
        assert (left is None) is (not rest)
        assert left is None or json.loads(left) == rest


def test_a_body_that_is_no_array_is_one_message() -> None:
    told = ask(each(), b'{"text": "a"}')
    assert isinstance(told, Messages)
    assert told.messages[0].texts == ("a",)


def test_each_has_its_own_room_and_text() -> None:
    told = batch(ask(each(), b'[{"text": "a", "room": "x"}, {"text": "b"}]'))
    assert [(one.room, one.texts, one.sender) for one in told.messages] == [("x", ("a",), "u1"), ("p", ("b",), "u1")]
    assert (told.listed, told.elements[1]) == (True, {"text": "b"})


def test_senders_are_read_of_each_or_of_the_whole() -> None:
    route = replace(PLAIN, each="/events/*", sender=("json:/who", "whole:/who"), room=("whole:/room",))
    told = batch(ask(each(route), b'{"room": "r", "who": "w", "events": [{"text": "a"}, {"text": "b", "who": "v"}]}'))
    assert [(one.sender, one.room) for one in told.messages] == [("w", "r"), ("v", "r")]
    assert told.listed is False
    cut = told.encode(told.body, {0: None})
    assert cut == b'{"room": "r", "who": "w", "events": [{"text": "b", "who": "v"}]}'


def test_a_kind_may_hang_on_the_whole() -> None:
    route = replace(PLAIN, each="/events/*")
    kinds = (KindSettings({"whole:/type": "said"}, route), KindSettings({"whole:/type": "seen"}, None))
    assert len(batch(ask(each(route, kinds), b'{"type": "said", "events": [{"text": "a"}]}')).messages) == 1
    assert isinstance(ask(each(route, kinds), b'{"type": "seen", "events": [{"text": "a"}]}'), Untouched)
    twice = ask(each(route, kinds), b'{"type": "seen", "events": [{"text": "a"}]}', query=b"type=said")
    assert isinstance(twice, Malformed)


@pytest.mark.parametrize(
    ("path", "body", "reason"),
    [
        ("/*", b"[]", "text.missing"),
        ("/*", b'[{"text": "a"}, {"text": ""}]', "text.empty"),
        ("/*", b'[{"text": "a"}, "b"]', "text.missing"),
        ("/*", b'[{"text": "a"}, [{"text": "b"}]]', "text.missing"),
        ("/*", b'[{"text": "a"}, {"text": "b", "TEXT": "c"}]', "body.key_case"),
        ("/*", b'[{"text": "a"}, {"text": "b", "text": "c"}]', "body.duplicate_key"),
        ("/*", b'[{"text": "a"},]', "body.not_json"),
        ("/*", b"[" + b",".join([b'{"text": "a"}'] * 5) + b"]", "body.too_many"),
        ("/events/*", b'{"events": {"0": {"text": "a"}}}', "body.not_array"),
        ("/events/*", b'{"Events": [{"text": "a"}]}', "body.key_case"),
        ("/events/*", b'{"text": "a"}', "body.not_array"),
        ("/events/*", b'[{"text": "a"}]', "body.not_array"),
    ],
)
def test_what_could_be_taken_otherwise_is_refused(path: str, body: bytes, reason: str) -> None:
    told = ask(each(replace(PLAIN, each=path, max_elements=4)), body)
    assert isinstance(told, Malformed)
    assert told.reason == reason


def test_a_query_that_holds_what_is_read_is_refused_once_for_all() -> None:
    for query, sound in ((b"text=c", False), (b"page=2", True)):
        told = ask(each(), b'[{"text": "a"}, {"text": "b"}]', query=query)
        assert isinstance(told, SeveralMessages) is sound
    told = ask(each(), b'[{"text": "a"}, {"text": "b"}]', query=b"_method=put")
    assert batch(told).method == b"PUT"


def test_two_methods_in_one_body_are_refused() -> None:
    told = ask(each(), b'[{"text": "a", "_method": "put"}, {"text": "b", "_method": "delete"}]')
    assert isinstance(told, Malformed)
    assert told.reason == "form.twice"


@pytest.mark.parametrize("coding", [b"gzip", b"GZIP"])
def test_a_coding_is_undone_once(coding: bytes) -> None:
    body = b'[{"text": "a"}, {"text": "b"}]'
    told = batch(ask(each(), gzip.compress(body), fields={b"content-encoding": coding}))
    assert (told.body, told.identity, len(told.messages)) == (body, True, 2)
    alone = ask(each(), gzip.compress(b'{"text": "a"}'), fields={b"content-encoding": coding})
    assert isinstance(alone, Messages)
    assert alone.identity


def test_a_body_that_says_it_is_ascii_stays_so() -> None:
    told = batch(ask(each(), b'[{"text": "caf\\u00e9"}, {"text": "b"}]', b"application/json; charset=us-ascii"))
    assert told.encode(told.body, {0: ("é*",)}) == b'[{"text": "\\u00e9*"}, {"text": "b"}]'
    told_otherwise = ask(each(), '[{"text": "é"}]'.encode(), b"application/json; charset=us-ascii")
    assert isinstance(told_otherwise, Malformed)


def test_forms_are_one_message_still() -> None:
    route = replace(PLAIN, text=("json:/text", "form:text"), room=("path:room",))
    told = ask(each(route), b"text=a", b"application/x-www-form-urlencoded")
    assert isinstance(told, Messages)
    mixed = ask(each(route), b'[{"text": "a", "x": "&text=b"}]')
    assert isinstance(mixed, Malformed)
    assert mixed.reason == "body.ambiguous"


def test_our_ids_are_written_into_each() -> None:
    told = batch(ask(each(replace(PLAIN, id_to="json:/id")), b'[{"text": "a", "id": 9}, {"text": "b"}]'))
    assert told.stamped
    stamped = told.encode(told.body, {1: ("*",)})
    assert stamped is not None
    assert json.loads(stamped) == [{"text": "a", "id": "0"}, {"text": "*", "id": "1"}]


def test_who_sends_is_asked_once_for_all() -> None:
    route = replace(PLAIN, sender=("whoami:",))
    body = b'[{"text": "a"}, {"text": "b"}]'
    assert ask(each(route), body, told=Told(pending=True)) == UNASKED
    told = batch(ask(each(route), body, told=Told("alice")))
    assert [one.sender for one in told.messages] == ["alice", "alice"]


@pytest.mark.parametrize("path", ["/", "", "/a", "/*/a/*", "*"])
def test_only_the_elements_of_one_array_are_messages(path: str) -> None:
    with pytest.raises(SurfaceError, match="each"):
        each(replace(PLAIN, each=path))


def test_sockets_have_formats_for_it() -> None:
    with pytest.raises(SurfaceError):
        each().attach(Arrived(b"GET", {}))
    assert each().upstream_id(b'{"id": 1}') == ""
