"""Sender, room and the optional facts: what counts, what is refused, what refuses nobody."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from filters.model.message import Vouched
from gateway.surfaces.input.decoded import UNASKED, Malformed, Messages, Untouched
from gateway.surfaces.input.request import Told
from gateway.surfaces.input.settings import SurfaceError

MakeRequest = Callable[..., Any]
MakeSurface = Callable[..., Any]

JSON = ("Content-Type", "application/json")
BODY = b'{"content": "hello"}'


@pytest.fixture
def decode(make_surface: MakeSurface, make_request: MakeRequest) -> Callable[..., Any]:
    """Decode BODY with the given headers and settings."""

    def run(
        *headers: tuple[str, str], body: bytes = BODY, trusted: bool = True, query: bytes = b"", **more: Any
    ) -> Any:
        parameters = more.pop("parameters", {"room": "r1"})
        request = make_request([JSON, *headers], trusted=trusted, query=query, parameters=parameters)
        decoded = make_surface(**more).decode(request, body)
        return decoded.messages[0] if isinstance(decoded, Messages) else decoded

    return run


def test_all_facts(decode: Callable[..., Any]) -> None:
    message = decode(
        ("X-User-Id", "alice"),
        ("X-Device", "d-1"),
        ("X-Registrant", "p:77"),
        ("X-City", "Shanghai"),
        ("X-Verified", "true"),
        ("X-Level", "80"),
        device=("header:X-Device",),
        registrant=("header:X-Registrant",),
        location=("header:X-City",),
        verified=("header:X-Verified",),
        level=("header:X-Level",),
        shown_sender=("header:X-City",),
    )
    assert message._asdict() == {
        "id": "id-1",
        "surface": "comment",
        "route": "c",
        "room": "r1",
        "sender": "alice",
        "texts": ("hello",),
        "received_at": 1_700_000_000_000_000,
        "device": "d-1",
        "ip": "192.0.2.1",
        "registrant": "p:77",
        "location": "Shanghai",
        "vouched": Vouched(True, 0, 80),
        "parts": (),
        "edit": False,
        "playback_ms": -1,
        "shown_sender": "Shanghai",
        "weak": False,
        "degraded": "",
    }


@pytest.mark.parametrize(
    ("headers", "reason", "status"),
    [
        ([], "sender.missing", 403),
        ([("X-User-Id", "")], "sender.missing", 403),
        ([("X-User-Id", "alice"), ("X-User-Id", "alice")], "sender.twice", 400),
        ([("X-User-Id", "alice, mallory")], "sender.twice", 400),
        ([("X-User-Id", "a" * 257)], "sender.malformed", 400),
        ([("X-User-Id", "a\tb")], "sender.malformed", 400),
        ([("X-User-Id", "a\u202eb")], "sender.malformed", 400),
        ([("X-User-Id", "a\u200bb")], "sender.malformed", 400),
    ],
)
def test_sender_refused(decode: Callable[..., Any], headers: list[tuple[str, str]], reason: str, status: int) -> None:
    decoded = decode(*headers)
    assert isinstance(decoded, Malformed)
    assert (decoded.reason, decoded.status) == (reason, status)


@pytest.mark.parametrize(
    ("value", "sender"),
    [('"u7"', "u7"), ("7", "7"), ("7.0", None), ("true", None), ("null", None), ("[7]", None), ('" u"', None)],
)
def test_sender_from_the_body(decode: Callable[..., Any], value: str, sender: str | None) -> None:
    decoded = decode(body=b'{"content": "x", "user": {"id": ' + value.encode() + b"}}", sender=("json:/user/id",))
    if sender is None:
        assert decoded.reason in ("sender.malformed", "sender.missing")
    else:
        assert decoded.sender == sender


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [({}, "room.missing"), ({"room": ""}, "room.missing"), ({"room": "a\nb"}, "room.malformed")],
)
def test_room_refused(decode: Callable[..., Any], parameters: dict[str, str], reason: str) -> None:
    assert decode(("X-User-Id", "alice"), parameters=parameters).reason == reason


def test_room_twice(decode: Callable[..., Any]) -> None:
    assert decode(("X-User-Id", "a"), query=b"room=1&room=2", room=("query:room",)).reason == "room.twice"


def test_no_room_where_the_route_reads_none(decode: Callable[..., Any]) -> None:
    assert decode(("X-User-Id", "alice"), room=()).room == ""


def test_a_sender_that_anybody_could_write_counts_from_a_trusted_peer(decode: Callable[..., Any]) -> None:
    alice = ("X-User-Id", "alice")
    assert decode(alice).sender == "alice"
    assert decode(alice, trusted=False).reason == "sender.untrusted"
    assert decode(trusted=False).reason == "sender.missing"
    spoofed = decode(("Cookie", "user=alice"), trusted=False, sender=("header:X-User-Id", "cookie:user"))
    assert spoofed.reason == "sender.untrusted"


def test_an_untrusted_peer_vouches_for_nothing(decode: Callable[..., Any]) -> None:
    message = decode(
        ("X-Verified", "true"),
        ("X-Device", "d"),
        ("X-Registrant", "p"),
        sender=("path:user",),
        parameters={"room": "r", "user": "alice"},
        verified=("header:X-Verified",),
        device=("header:X-Device",),
        registrant=("header:X-Registrant",),
        trusted=False,
    )
    assert (message.sender, message.vouched, message.device, message.registrant) == ("alice", None, "", "")


@pytest.mark.parametrize("device", [[("X-Device", "a"), ("X-Device", "b")], [("X-Device", "x" * 513)], []])
def test_a_garbled_device_refuses_nobody(decode: Callable[..., Any], device: list[tuple[str, str]]) -> None:
    assert decode(("X-User-Id", "alice"), *device, device=("header:X-Device",)).device == ""


def test_numbers_are_names_too(decode: Callable[..., Any]) -> None:
    body = b'{"content": "x", "d": 5, "r": 6}'
    message = decode(("X-User-Id", "a"), body=body, device=("json:/d",), registrant=("json:/r",))
    assert (message.device, message.registrant) == ("5", "6")


@pytest.mark.parametrize(
    ("registrant", "reason"),
    [([("X-R", "a"), ("X-R", "b")], "fact.twice"), ([("X-R", "a\tb")], "fact.malformed")],
)
def test_a_garbled_registrant_is_refused(
    decode: Callable[..., Any], registrant: list[tuple[str, str]], reason: str
) -> None:
    assert decode(("X-User-Id", "alice"), *registrant, registrant=("header:X-R",)).reason == reason


def test_a_registrant_may_be_absent(decode: Callable[..., Any]) -> None:
    assert decode(("X-User-Id", "alice"), registrant=("header:X-R",)).registrant == ""


def test_a_garbled_verification_is_refused(decode: Callable[..., Any]) -> None:
    decoded = decode(("X-User-Id", "alice"), ("X-Verified", "perhaps"), verified=("header:X-Verified",))
    assert decoded.reason == "fact.malformed"


def test_no_address_where_it_is_not_read(decode: Callable[..., Any]) -> None:
    assert decode(("X-User-Id", "alice"), read_ip=False).ip == ""


@pytest.mark.parametrize("changed", [{"sender": ()}, {"level": ("header:X-Level",)}])
def test_settings_that_make_no_sense(make_surface: MakeSurface, changed: dict[str, Any]) -> None:
    with pytest.raises(SurfaceError):
        make_surface(**changed)


@pytest.mark.parametrize(
    ("source", "header"),
    [
        ("header:Authorization", ("Authorization", "Bearer abc")),
        ("header:X-Auth-Token", ("X-Auth-Token", "abc")),
        ("header:X-Api-Key", ("X-Api-Key", "abc")),
        ("header:Cookie", ("Cookie", "abc")),
        ("cookie:PHPSESSID", ("Cookie", "PHPSESSID=abc")),
        ("cookie:connect.sid", ("Cookie", "connect.sid=abc")),
        ("cookie:sessionid", ("Cookie", "sessionid=abc")),
        ("json:/access_token", ("X", "y")),
    ],
)
def test_of_a_credential_a_digest_is_kept(decode: Callable[..., Any], source: str, header: tuple[str, str]) -> None:
    body = b'{"content": "hello", "access_token": "abc"}'
    kept = decode(header, sender=(source,), body=body).sender
    assert kept.startswith("sha256:")
    assert (len(kept), "abc" in kept) == (39, False)
    assert decode(header, sender=(source,), body=body).sender == kept
    assert "abc" in decode(header, sender=(source,), body=body, digest_sender="never").sender


@pytest.mark.parametrize("source", ["header:X-User-Id", "cookie:user", "cookie:uid", "json:/author", "header:X-Assid"])
def test_a_name_is_kept_as_it_is_unless_one_says_so(decode: Callable[..., Any], source: str) -> None:
    fields = [("X-User-Id", "alice"), ("X-Assid", "alice"), ("Cookie", "user=alice; uid=alice")]
    body = b'{"content": "hello", "author": "alice"}'
    assert decode(*fields, sender=(source,), body=body).sender == "alice"
    assert decode(*fields, sender=(source,), body=body, digest_sender="always").sender.startswith("sha256:")


def test_one_credential_in_several_spellings_is_one_sender(decode: Callable[..., Any]) -> None:
    spellings = ["Bearer abc", "bearer abc", "BEARER  abc"]
    told = {decode(("Authorization", one), sender=("header:Authorization",)).sender for one in spellings}
    assert len(told) == 1
    assert decode(("Authorization", "Bearer abC"), sender=("header:Authorization",)).sender not in told


def test_a_long_credential_is_a_sender_and_none_is_not(decode: Callable[..., Any]) -> None:
    assert decode(("Authorization", "Bearer " + "a" * 4000), sender=("header:Authorization",)).sender
    assert decode(sender=("header:Authorization",)).reason == "sender.missing"
    assert decode(("Authorization", ""), sender=("header:Authorization",)).reason == "sender.missing"
    twice = decode(("Authorization", "a"), ("Authorization", "b"), sender=("header:Authorization",))
    assert twice.reason == "sender.twice"
    assert decode(("Authorization", "a"), sender=("header:Authorization",), trusted=False).reason == "sender.untrusted"


@pytest.mark.parametrize("room", ["7.json", "7.JSON", "7.xml", "a.b.html", "7.php", "7.aspx"])
def test_a_room_that_ends_in_a_format_is_refused_where_one_says_so(decode: Callable[..., Any], room: str) -> None:
    alice = ("X-User-Id", "alice")
    assert decode(alice, parameters={"room": room}, room_ends_path=True).reason == "room.malformed"
    assert decode(alice, parameters={"room": room}).room == room


@pytest.mark.parametrize("room", ["7", "v1.2", "example.org", "json", ".json", "7.jsonish", "7json"])
def test_other_dots_in_a_room_are_its_name(decode: Callable[..., Any], room: str) -> None:
    decoded = decode(("X-User-Id", "alice"), parameters={"room": room}, room_ends_path=True)
    assert decoded.room == room


@pytest.mark.parametrize("room", ["%31", "a%2fb", "7%2E"])
def test_a_room_that_is_still_encoded_is_refused(decode: Callable[..., Any], room: str) -> None:
    """Whoever decodes a path twice takes it for another."""
    alice = ("X-User-Id", "alice")
    assert decode(alice, parameters={"room": room}).reason == "room.malformed"
    assert decode(alice, parameters={"room": "100%"}).room == "100%"


@pytest.mark.parametrize("source", ["path:room", "json:/room", "query:room"])
def test_a_room_has_one_spelling_wherever_it_is_read_from(decode: Callable[..., Any], source: str) -> None:
    def room(name: str) -> Any:
        return decode(
            ("X-User-Id", "alice"),
            room=(source,),
            room_format="number",
            body=b'{"content": "hello", "room": "%b"}' % name.encode(),
            query=b"room=%b" % name.encode() if source == "query:room" else b"",
            parameters={"room": name},
        )

    assert room("7").room == "7"
    assert room("07").reason == "room.malformed"
    assert room("7").room == "7"


@pytest.mark.parametrize(
    ("number", "sender"),
    [
        ("5", "5"),
        ("-5", "-5"),
        ("9007199254740993", "9007199254740993"),
        ("9223372036854775807", "9223372036854775807"),
    ],
)
def test_an_integer_is_a_sender(decode: Callable[..., Any], number: str, sender: str) -> None:
    body = b'{"content": "hello", "user": %b}' % number.encode()
    assert decode(body=body, sender=("json:/user",)).sender == sender


@pytest.mark.parametrize("number", ["9223372036854775808", "18446744073709551615", "5.0", "1e2", "true", "[5]"])
def test_what_readers_of_json_make_another_number_of_is_none(decode: Callable[..., Any], number: str) -> None:
    body = b'{"content": "hello", "user": %b}' % number.encode()
    assert decode(body=body, sender=("json:/user",)).reason == "sender.malformed"


ALICE = Told("alice")


@pytest.mark.parametrize(
    ("told", "sender", "weak", "degraded"),
    [
        (ALICE, "alice", False, ""),
        (Told("alice", degraded="sender:bridged"), "alice", False, "sender:bridged"),
        (Told(), "ip:192.0.2.1", True, ""),
        (None, "ip:192.0.2.1", True, ""),
        (Told(degraded="sender:status"), "ip:192.0.2.1", True, "sender:status"),
    ],
)
def test_what_the_platform_says(
    told: Told | None, sender: str, weak: bool, degraded: str, make_surface: Any, make_request: Any
) -> None:
    surface = make_surface(sender=("whoami:", "ip:"))
    request = make_request([("Content-Type", "application/json")], trusted=False, told=told)
    (message,) = surface.decode(request, b'{"content":"x"}').messages
    assert (message.sender, message.weak, message.degraded) == (sender, weak, degraded)


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (Told(), "sender.unknown"),
        (None, "sender.unknown"),
        (Told(degraded="sender:status"), "sender.unavailable"),
        (Told(reason="sender.unavailable"), "sender.unavailable"),
        (Told(reason="sender.twice"), "sender.twice"),
    ],
)
def test_what_it_does_not_say(told: Told | None, reason: str, make_surface: Any, make_request: Any) -> None:
    surface = make_surface(sender=("whoami:",))
    request = make_request([("Content-Type", "application/json")], told=told)
    assert surface.decode(request, b'{"content":"x"}').reason == reason


def test_it_has_to_be_asked_only_for_what_can_be_judged(make_surface: Any, make_request: Any) -> None:
    surface = make_surface(sender=("whoami:", "ip:"), message_when={"/a": (1,)}, relay_when={"/a": (2,)})
    request = make_request([("Content-Type", "application/json")], told=Told(pending=True))
    assert surface.decode(request, b'{"a":1,"content":"x"}') is UNASKED
    assert isinstance(surface.decode(request, b'{"a":2,"content":"x"}'), Untouched)
    assert isinstance(surface.decode(request, b'{"a":1}'), Malformed)
    first = make_surface(sender=("header:X-User-Id", "whoami:"))
    request = make_request([("Content-Type", "application/json"), ("X-User-Id", "bob")], told=Told(pending=True))
    assert first.decode(request, b'{"content":"x"}').messages[0].sender == "bob"


def test_digests_that_need_the_salt(make_surface: Any, make_request: Any) -> None:
    def sender(salt: bytes, source: str, told: Told = ALICE, **more: Any) -> str:
        surface = make_surface(sender=(source,), digest_key=salt)
        request = make_request([("Content-Type", "application/json"), ("X-User-Id", "alice")], told=told, **more)
        message = surface.decode(request, b'{"content":"x"}').messages[0]
        assert message.weak is source.endswith(("ip:", "const:x"))
        return str(message.sender)

    digest = sender(b"salt", "hash:whoami:")
    assert re.fullmatch(r"hash:[0-9a-f]{32}", digest)
    assert sender(b"salt", "hash:header:X-User-Id") == digest, "whatever told the name, it is the same person"
    assert sender(b"other", "hash:whoami:") != digest
    assert sender(b"salt", "const:x") == "const:x"
    one, other = (sender(b"salt", "hash:ip:", peer_ip=ip) for ip in ("2001:db8::1", "2001:db8::ffff"))
    assert one == other, "one household"
    assert sender(b"salt", "ip:", peer_ip="2001:db8::1") == "ip:2001:db8::/64"
