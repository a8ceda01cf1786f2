"""What the platforms' own clients send, and what else they would take, as each preset's configuration reads it: found
by the router, decoded by the surface. Addresses and shapes are those of the platforms' sources."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from urllib.parse import urlencode

import pytest

from gateway import config as configuration
from gateway.config import Config
from gateway.config.sections.routes import Route
from gateway.generation import conversion
from gateway.http.server.router import READING, Router
from gateway.http.wire.errors import HTTPError
from gateway.presets import composing, laying, preset
from gateway.surfaces.input.decoded import Malformed, Messages, Untouched
from gateway.surfaces.input.request import Arrived, Told
from tools.platforms_page import usual

JSON = {b"content-type": b"application/json"}
FORM = {b"content-type": b"application/x-www-form-urlencoded"}
ANN = Told("ann")
RELAYED = "relayed"


class Judged(NamedTuple):
    """``route`` and what it reads; texts that are empty are left out."""

    route: str
    room: str
    texts: tuple[str, ...]
    edit: bool = False


@cache
def loaded(name: str) -> tuple[Config, Router[Route]]:
    with TemporaryDirectory() as folder:
        laying.lay_lists(Path(folder))
        file = Path(folder) / "tidegate.toml"
        one = preset.load(name)
        file.write_text(composing.composed(one, usual(one)), encoding="utf-8")
        config = configuration.load(file)
    routes = [(route.template, route) for route in config.routes]
    return config, Router(
        routes,
        lambda route: route.judged or route.removal is not None,
        lambda route: route.judged and route.unjudged == "refuse",
    )


def read(name: str, request: str, body: Any = None, told: Told | None = ANN, **fields: str) -> Judged | str:
    """What becomes of one request, written as ``POST /new?uri=/a``: judged, relayed, or the reason of its refusal."""
    config, router = loaded(name)
    method, _, target = request.partition(" ")
    try:
        found = router.find(method.encode(), b"platform.test", target.encode())
    except HTTPError as error:
        return error.reason
    route = found.route
    if route is None:
        reading = method.encode() in READING and body is None
        return RELAYED if config.server.unmatched == "relay" or reading else "route.unjudged"
    if not route.judged:
        return RELAYED
    head, data = encoded(body)
    head |= {name.replace("_", "-").lower().encode(): value.encode() for name, value in fields.items()}
    head.setdefault(b"x-user-id", b"ann")
    arrived = Arrived(
        method.encode(), head, query=found.query, parameters=found.parameters(), peer_ip="192.0.2.7",
        peer_trusted=True, told=told,
    )  # fmt: skip
    return outcome(conversion.compiled(config, route, str, int, b"salt").decode(arrived, data), route)


def frame(name: str, request: str, said: Any) -> Judged | str:
    """The same of one frame of a socket that ``request`` opened."""
    config, router = loaded(name)
    found = router.find(b"GET", b"platform.test", request.encode())
    assert found.route is not None and found.route.transport == "websocket"
    opened = Arrived(
        b"GET", {b"x-user-id": b"ann"}, query=found.query, parameters=found.parameters(), peer_ip="192.0.2.7",
        peer_trusted=True, told=ANN,
    )  # fmt: skip
    socket = conversion.compiled(config, found.route, str, int, b"salt").attach(opened)
    binary = isinstance(said, bytes)
    return outcome(socket.decode(said if binary else json.dumps(said).encode(), binary), found.route)


def encoded(body: Any) -> tuple[dict[bytes, bytes], bytes]:
    """A dict or list is sent as JSON, a list of pairs as a form, bytes as XML, nothing as nothing."""
    if body is None:
        return {}, b""
    if isinstance(body, bytes):
        return {b"content-type": b"text/xml"}, body
    if isinstance(body, tuple):
        return dict(FORM), urlencode(body).encode()
    return dict(JSON), json.dumps(body).encode()


def outcome(decoded: object, route: Route) -> Judged | str:
    if isinstance(decoded, Messages):
        [message] = decoded.messages
        texts = tuple(text for text in message.texts if text)
        return Judged(route.name, message.room, texts, message.edit)
    if isinstance(decoded, Untouched):
        return RELAYED
    assert isinstance(decoded, Malformed), decoded
    return decoded.reason


def form(**fields: str) -> tuple[tuple[str, str], ...]:
    return tuple(fields.items())


MATRIX = "/_matrix/client/v3"
ROOM = "%21r%3Ahost.test"
EDIT = {
    "msgtype": "m.text", "body": "* b", "m.new_content": {"msgtype": "m.text", "body": "b"},
    "m.relates_to": {"rel_type": "m.replace", "event_id": "$1"},
}  # fmt: skip
SAY = "mutation Say($room: ID!, $text: String!) {\n  say(room: $room, text: $text) {\n    id\n    text\n  }\n}"
ASK = "query Messages($room: ID!) {\n  messages(room: $room) {\n    id\n    text\n  }\n}"
OLDER = {"3": "heartbeat", "topic": "room:7", "event": "new_msg", "payload": {"body": "a"}, "ref": "1"}
"""To a Phoenix that is asked for its older frames this is a message, whatever "3" says."""
TOPIC = {"topic": "a", "m.topic": {"m.text": [{"body": "b"}, {"body": "c", "mimetype": "text/html"}]}}
FILE = {
    "msgtype": "m.file", "body": "a", "filename": "b", "m.new_content": {"body": "c", "filename": "d"},
    "m.relates_to": {"rel_type": "m.replace", "event_id": "$1"},
}  # fmt: skip
SECRET = {"type": "m.room.encryption", "content": {}}
NAMED = {"type": "m.room.name", "content": {"name": "a"}}

REQUESTS: list[tuple[str, str, Any, Judged | str]] = [
    ("isso", "POST /new?uri=%2Fa%2F", {"text": "a", "author": "b", "website": None, "parent": None},
     Judged("comments", "/a/", ("a", "b"))),
    ("isso", "PUT /id/7", {"text": "a"}, Judged("edits", "comment:7", ("a",), True)),
    ("isso", "POST /id/7/edit/key", {"text": "a", "author": "b"},
     Judged("moderators-edits", "comment:7", ("a", "b"), True)),
    ("isso", "DELETE /id/7", None, RELAYED),
    ("isso", "POST /id/7/like", None, RELAYED),
    ("isso", "POST /count", ["/a/", "/b/"], RELAYED),
    ("isso", "GET /?uri=%2Fa%2F&limit=5", None, RELAYED),
    ("isso", "POST /other/new?uri=%2Fa%2F", {"text": "a"}, "route.unjudged"),
    ("isso", "POST /new/?uri=%2Fa%2F", {"text": "a"}, "path.lookalike"),
    ("isso", "POST /id/7/edit/key/more", {"text": "a"}, "route.unjudged"),
    ("waline", "POST /api/comment?lang=zh-CN", {"comment": "a", "nick": "b", "mail": "", "link": "", "url": "/a/"},
     Judged("comments", "/a/", ("a", "b"))),
    ("waline", "POST /api/comment?state=token", {"comment": "a", "nick": "b", "url": "/a/"}, "frame.unknown"),
    ("waline", "PUT /api/comment/7?state=token", {"comment": "a"}, "frame.unknown"),
    ("waline", "PUT /api/user?state=token", {"display_name": "a"}, "frame.unknown"),
    ("waline", "PUT /api/comment/7?lang=en", {"comment": "a"}, Judged("edits", "comment:7", ("a",), True)),
    ("waline", "PUT /api/comment/7?lang=en", {"like": True}, RELAYED),
    ("waline", "PUT /api/comment/7?lang=en", {"like": True, "comment": "a"},
     Judged("edits", "comment:7", ("a",), True)),
    ("waline", "PUT /api/comment/7", {"status": "approved"}, RELAYED),
    ("waline", "DELETE /api/comment/7?lang=en", None, RELAYED),
    ("waline", "DELETE /api/comment/7?method=put", {"comment": "a"}, Judged("edits", "comment:7", ("a",), True)),
    ("waline", "POST /api/comment/7?method=put", {"comment": "a"}, "route.unjudged"),
    ("waline", "PUT /api/comment/64c0ee", {"comment": "a"}, Judged("edits", "comment:64c0ee", ("a",), True)),
    ("waline", "PUT /api/comment/7", {"Comment": "a"}, "body.key_case"),
    ("waline", "PUT /api/comment/7", form(comment="a"), "form.twice"),
    ("waline", "PUT /api/comment/7", {"comment": None}, "frame.unknown"),
    ("waline", "POST /comment", {"comment": "a", "url": "/a/"}, "route.unjudged"),
    ("waline", "POST /.netlify/functions/undefined/comment", {"comment": "a", "url": "/a/"}, "route.unjudged"),
    ("waline", "POST /api/user", {"display_name": "a", "email": "b@c.test", "password": "d", "url": ""},
     Judged("registrations", "a", ("a",))),
    ("waline", "PUT /api/user", {"display_name": "a", "label": "b"}, Judged("profiles", "a", ("a", "b"), True)),
    ("waline", "PUT /api/user", {"password": "d"}, RELAYED),
    ("waline", "PUT /api/user/5", {"label": "b"}, Judged("administrators-of-accounts", "account:5", ("b",), True)),
    ("waline", "PUT /api/user/5", {"type": "administrator"}, RELAYED),
    ("waline", "PUT /api/user/password", {"email": "b@c.test"}, RELAYED),
    ("waline", "POST /api/token", {"email": "b@c.test", "password": "d"}, RELAYED),
    ("waline", "GET /api/comment?path=%2Fa%2F&pageSize=10", None, RELAYED),
    ("twikoo", "POST /", {"event": "COMMENT_SUBMIT", "url": "/a/", "ua": "x", "nick": "b", "comment": "<p>a</p>"},
     Judged("twikoo", "/a/", ("<p>a</p>", "b"))),
    ("twikoo", "POST /", {"event": "COMMENT_SET_FOR_ADMIN", "id": "5", "set": {"comment": "a"}},
     Judged("twikoo", "comment:5", ("a",), True)),
    ("twikoo", "POST /", {"event": "COMMENT_SET_FOR_ADMIN", "id": "5", "set": {"isSpam": True}},
     Judged("twikoo", "comment:5", (), True)),
    ("twikoo", "POST /", {"event": "COMMENT_GET", "url": "/a/"}, RELAYED),
    ("twikoo", "POST /", {"event": "SOMETHING", "url": "/a/"}, "frame.unknown"),
    ("twikoo", "POST /", {"event": "COMMENT_GET", "Event": "COMMENT_SUBMIT"}, "body.key_case"),
    ("twikoo", "POST /anything", {"event": "COMMENT_SUBMIT", "url": "/a/", "comment": "a"}, "route.unjudged"),
    ("twikoo", "GET /anything", {"event": "COMMENT_SUBMIT", "url": "/a/", "comment": "a"}, "route.unjudged"),
    ("django-comments", "POST /comments/post/",
     form(content_type="blog.entry", object_pk="7", timestamp="1", security_hash="x", name="b", email="", url="",
          comment="a", honeypot=""), Judged("comments", "blog.entry:7", ("a", "b"))),
    ("django-comments", "POST /comments/post", form(comment="a"), "path.lookalike"),
    ("django-comments", "POST /comments/flag/7/", form(next="/"), RELAYED),
    ("synapse", f"PUT {MATRIX}/rooms/{ROOM}/send/m.room.message/1", {"msgtype": "m.text", "body": "a"},
     Judged("messages", "!r:host.test", ("a",))),
    ("synapse", f"PUT {MATRIX}/rooms/{ROOM}/send/m.room.message/1", EDIT,
     Judged("messages", "!r:host.test", ("* b", "b"), True)),
    ("synapse", f"PUT /_matrix/client/r0/rooms/{ROOM}/send/m.room.message/1", {"body": "a"},
     Judged("messages", "!r:host.test", ("a",))),
    ("synapse", f"PUT {MATRIX}/rooms/{ROOM}/send/m.room.message/1", {"m.new_content": {"body": "b"}},
     Judged("messages", "!r:host.test", ("b",))),
    ("synapse", f"PUT {MATRIX}/rooms/{ROOM}/send/m.reaction/1", {"m.relates_to": {"key": "a", "event_id": "$1"}},
     Judged("messages", "!r:host.test", ("a",))),
    ("synapse", f"PUT {MATRIX}/rooms/{ROOM}/send/m.room.redaction/1", {}, RELAYED),
    ("synapse", f"PUT {MATRIX}/rooms/{ROOM}/send/m.room.encrypted/1", {"ciphertext": "x"}, "frame.unknown"),
    ("synapse", f"POST {MATRIX}/rooms/{ROOM}/send/m.room.message", {"body": "a"},
     Judged("messages-of-bots", "!r:host.test", ("a",))),
    ("synapse", f"PUT {MATRIX}/rooms/{ROOM}/state/m.room.topic", {"topic": "a"},
     Judged("rooms", "!r:host.test", ("a",))),
    ("synapse", f"PUT {MATRIX}/rooms/{ROOM}/state/m.room.power_levels", {"users": {}}, RELAYED),
    ("synapse", f"PUT {MATRIX}/rooms/{ROOM}/state/m.room.message/x", {"body": "a"}, "frame.unknown"),
    ("synapse", f"PUT {MATRIX}/rooms/{ROOM}/state/m.room.member/%40a%3Ab", {"membership": "join", "displayname": "a"},
     Judged("members", "!r:host.test", ("a",))),
    ("synapse", f"PUT /_matrix/client/api/v1/rooms/{ROOM}/send/m.room.message/1", {"body": "a"}, "route.unjudged"),
    ("synapse", f"POST {MATRIX}/rooms/{ROOM}/receipt/m.read/1", {}, RELAYED),
    ("synapse", f"PUT {MATRIX}/rooms/{ROOM}/typing/%40a%3Ab", {"typing": True}, RELAYED),
    ("synapse", f"PUT {MATRIX}/profile/%40a%3Ab/displayname", {"displayname": "a"}, Judged("names", "@a:b", ("a",))),
    ("synapse", "PUT /_matrix/client/api/v1/presence/u/status", {"status_msg": "a"}, "route.unjudged"),
    ("synapse", "POST /_matrix/client/api/v1/createRoom", {"name": "a"}, "route.unjudged"),
    ("synapse", f"PUT {MATRIX}/rooms/{ROOM}/send/m.room.message/1", FILE,
     Judged("messages", "!r:host.test", ("a", "b", "c", "d"), True)),
    ("synapse", f"PUT {MATRIX}/rooms/{ROOM}/send/m.reaction/1", {"m.relates_to": {"key": "a"}, "shortcode": "b"},
     Judged("messages", "!r:host.test", ("a", "b"))),
    ("synapse", f"PUT {MATRIX}/rooms/{ROOM}/send/m.room.redaction/1", {"reason": "a"},
     Judged("messages", "!r:host.test", ("a",))),
    ("synapse", f"PUT {MATRIX}/rooms/{ROOM}/redact/%241/1", {"reason": "a"},
     Judged("deletions", "!r:host.test", ("a",))),
    ("synapse", f"POST {MATRIX}/rooms/{ROOM}/redact/%241", {"reason": "a"},
     Judged("deletions-of-bots", "!r:host.test", ("a",))),
    ("synapse", f"PUT {MATRIX}/rooms/{ROOM}/redact/%241/1", {}, RELAYED),
    ("synapse", f"PUT {MATRIX}/rooms/{ROOM}/state/m.room.topic/", TOPIC,
     Judged("rooms-with-a-slash", "!r:host.test", ("a", "b", "c"))),
    ("synapse", f"PUT {MATRIX}/rooms/{ROOM}/state/m.room.topic", {"topic": "a", "m.topic": [{"body": "b"}]},
     Judged("rooms", "!r:host.test", ("a", "b"))),
    ("synapse", f"PUT {MATRIX}/rooms/{ROOM}/state/m.room.topic", {"topic": "a", "m.topic": [{}, {}, {"body": "b"}]},
     "frame.unknown"),
    ("synapse", f"PUT {MATRIX}/rooms/{ROOM}/state/m.room.tombstone", {"body": "a"},
     Judged("rooms", "!r:host.test", ("a",))),
    ("synapse", f"PUT {MATRIX}/rooms/{ROOM}/state/im.vector.modular.widgets/w", {"name": "a", "data": {"title": "b"}},
     Judged("members", "!r:host.test", ("a", "b"))),
    ("synapse", f"POST {MATRIX}/createRoom", {"name": "a", "topic": "b", "initial_state": [SECRET]},
     Judged("creations", "creation:v3", ("a", "b"))),
    ("synapse", f"POST {MATRIX}/createRoom", {"preset": "private_chat"}, Judged("creations", "creation:v3", ())),
    ("synapse", f"POST {MATRIX}/createRoom", {"initial_state": [SECRET, NAMED]}, "frame.unknown"),
    ("synapse", f"POST {MATRIX}/createRoom", {"initial_state": [SECRET] * 8 + [NAMED]}, "frame.unknown"),
    ("synapse", f"PUT {MATRIX}/createRoom/1", {"name": "a"}, "route.unjudged"),
    ("synapse", f"POST {MATRIX}/rooms/{ROOM}/kick", {"user_id": "@a:b", "reason": "a"},
     Judged("reasons-to-kick", "!r:host.test", ("a",))),
    ("synapse", f"PUT {MATRIX}/rooms/{ROOM}/kick/1", {"user_id": "@a:b", "reason": "a"}, "route.unjudged"),
    ("synapse", f"POST {MATRIX}/rooms/{ROOM}/join", {}, RELAYED),
    ("synapse", f"POST {MATRIX}/knock/{ROOM}", {"reason": "a"},
     Judged("reasons-to-knock-by-name", "!r:host.test", ("a",))),
    ("synapse", f"PUT {MATRIX}/presence/u/status", {"presence": "online", "status_msg": "a"},
     Judged("presence", "u", ("a",))),
    ("synapse", f"PUT {MATRIX}/presence/u/statuses", {"status_msg": "a"}, Judged("presence", "u", ("a",))),
    ("synapse", f"PUT {MATRIX}/presence/u/status", {"presence": "online"}, RELAYED),
    ("synapse", f"PUT {MATRIX}/profile/u/avatar_url", {"avatar_url": "mxc://a/b"}, RELAYED),
    ("synapse", f"PUT {MATRIX}/profile/u/m.status", {"m.status": {"text": "a"}}, "frame.unknown"),
    ("dplayer", "POST /v3/", {"token": "", "id": "v1", "author": "b", "time": 1.5, "text": "a", "type": 0},
     Judged("bullets", "v1", ("a",))),
    ("dplayer", "GET /v3/?id=v1&max=1000", None, RELAYED),
    ("dplayer", "POST /v2/", {"text": "a"}, "route.unjudged"),
    ("artplayer", "POST /api/videos/7/danmaku", {"text": "a", "time": 5, "mode": 0, "color": "#fff"},
     Judged("bullets", "7", ("a",))),
    ("bilibili-live", "POST /msg/send", form(bubble="0", msg="a", roomid="7", rnd="1", csrf="x"),
     Judged("live-forms", "7", ("a",))),
    ("graphql", "POST /graphql", {"query": SAY, "variables": {"room": "7", "text": "a"}},
     Judged("graphql", "7", ("a",))),
    ("graphql", "POST /graphql", {"query": ASK, "variables": {"room": "7"}}, RELAYED),
    ("graphql", "POST /graphql", {"query": f"{SAY} {ASK}", "operationName": "Messages"}, "frame.unknown"),
    ("graphql", "POST /graphql", {"query": SAY + " ", "variables": {"room": "7", "text": "a"}}, "frame.unknown"),
    ("graphql", "POST /graphql", [{"query": SAY, "variables": {"room": "7", "text": "a"}}], "frame.unknown"),
    ("graphql", "POST /graphql?query=x", {"query": ASK}, "form.twice"),
    ("phoenix", "POST /socket/longpoll?vsn=1.0.0", OLDER, "frame.unknown"),
    ("phoenix", "POST /socket/longpoll?vsn=2.0.0", ["1", "2", "room:7", "new_msg", {"body": "a"}],
     Judged("channels-by-polling", "room:7", ("a",))),
    ("json-rpc", "POST /rpc", {"id": 1, "method": "message.send", "params": {"room": "7", "text": "a"}},
     Judged("rpc", "7", ("a",))),
    ("json-rpc", "POST /rpc", {"jsonrpc": "2.0", "id": 1, "method": "room.list", "params": {}}, RELAYED),
    ("json-rpc", "POST /rpc", [{"jsonrpc": "2.0", "id": 1, "method": "room.list"}], RELAYED),
    ("json-rpc", "POST /rpc", [{"jsonrpc": "2.0", "id": 1, "method": "message.pin"}], "frame.unknown"),
    ("json-rpc", "POST /rpc", {"jsonrpc": "2.0", "id": 1, "method": "message.pin"}, "frame.unknown"),
    ("discourse", "POST /posts", form(raw="a", topic_id="7", archetype="regular", category="3"),
     Judged("posts", "topic:7", ("a",))),
    ("discourse", "POST /posts", form(raw="a", title="b", category="3", archetype="regular"),
     Judged("posts", "category:3", ("a", "b"))),
    ("discourse", "POST /posts", {"raw": "a", "title": "b"}, Judged("posts", "new:b", ("a", "b"))),
    ("discourse", "POST /posts.json", {"raw": "a", "topic_id": 7}, "path.lookalike"),
    ("discourse", "PUT /posts/9", (("post[raw]", "a"), ("post[edit_reason]", "b")),
     Judged("edits", "post:9", ("a", "b"), True)),
    ("discourse", "POST /posts/9", (("post[raw]", "a"),), RELAYED),
    ("discourse", "PUT /posts/9/bookmark", form(bookmarked="true"), RELAYED),
    ("discourse", "PUT /t/slug/7", form(title="a"), Judged("titles", "topic:7", ("a",), True)),
    ("discourse", "POST /chat/5", form(message="a", client_created_at="x"), Judged("chat", "5", ("a",))),
    ("discourse", "PUT /chat/api/channels/5/messages/9", form(message="a"), Judged("chat-edits", "5", ("a",), True)),
    ("discourse", "PATCH /posts/9", (("post[raw]", "a"),), Judged("edits", "post:9", ("a",), True)),
    ("discourse", "PUT /t/7", form(title="a"), Judged("titles-without-a-slug", "topic:7", ("a",), True)),
    ("discourse", "PUT /t/7/status", form(status="closed"), Judged("titles", "topic:status", (), True)),
    ("discourse", "PUT /users/ann", form(bio_raw="a"), Judged("profiles-of-old", "ann", ("a",), True)),
    ("discourse", "PUT /u/ann", form(timezone="UTC"), Judged("profiles", "ann", (), True)),
    ("discourse", "PUT /u/ann", form(website="a"), Judged("profiles", "ann", ("a",), True)),
    ("discourse", "POST /post_actions", form(id="9", post_action_type_id="6", message="a"),
     Judged("words-of-flags", "post:9", ("a",))),
    ("discourse", "POST /post_actions", form(id="9", post_action_type_id="2"), Judged("words-of-flags", "post:9", ())),
    ("discourse", "PUT /user-status", form(description="a", emoji="b"), Judged("states", "state:b", ("a",), True)),
    ("discourse", "PUT /chat/api/channels/5/threads/6", form(title="a"), Judged("chat-threads", "5", ("a",), True)),
    ("discourse", "PUT /chat/api/channels/5", form(name="a"), Judged("chat-channels", "5", ("a",), True)),
    ("discourse", "PUT /u/ann", form(bio_raw="a", name="b"), Judged("profiles", "ann", ("b", "a"), True)),
    ("wordpress", "POST /wp-comments-post.php",
     form(comment="a", author="b", email="c@d.test", url="", comment_post_ID="7", comment_parent="0"),
     Judged("comments", "7", ("a", "b"))),
    ("wordpress", "POST /wp-comments-post.php", form(comment="a", comment_post_ID="7x"), "room.malformed"),
    ("wordpress", "POST /wp-json/wp/v2/comments", {"content": "a", "post": 7}, Judged("rest", "7", ("a",))),
    ("wordpress", "POST /wp-json/wp/v2/comments/9", {"content": "a"}, Judged("rest-edits", "comment:9", ("a",), True)),
    ("wordpress", "DELETE /wp-json/wp/v2/comments/9?force=true", None, RELAYED),
    ("wordpress", "POST /?rest_route=/wp/v2/comments", {"content": "a", "post": 7}, "path.lookalike"),
    ("wordpress", "POST /index.php?rest_route=%2Fwp%2Fv2%2Fcomments%2F9", {"content": "a"}, "path.lookalike"),
    ("wordpress", "POST /xmlrpc.php", b"<methodCall/>", "type.unsupported"),
    ("wordpress", "POST /wp-trackback.php?p=7", form(title="a", excerpt="b", url="http://c.test/", blog_name="d"),
     Judged("trackbacks", "7", ("b", "a", "d", "http://c.test/"))),
    ("wordpress", "POST /hello/", form(rest_route="/wp/v2/comments", post="7", content="a"), "route.unjudged"),
    ("wordpress", "POST /hello/trackback/", form(excerpt="a"), "route.unjudged"),
    ("wordpress", "POST /?p=7&tb=1", form(excerpt="a"), "route.unjudged"),
    ("wordpress", "PUT /wp-json/wp/v2/posts/7", {"title": "a"}, RELAYED),
    ("wordpress", "POST /wp-json/wp/v2/comments/", {"content": "a"}, "path.lookalike"),
    ("wordpress", "POST /wp-admin/admin-ajax.php", form(action="heartbeat"), RELAYED),
    ("wordpress", "POST /wp-login.php", form(log="a", pwd="b"), RELAYED),
    ("plain", "POST /api/articles/7/comments", {"content": "a"}, Judged("comments", "7", ("a",))),
    ("plain", "PATCH /api/articles/7/comments/9", {"content": "a"}, Judged("edits", "7", ("a",), True)),
    ("plain", "DELETE /api/articles/7/comments/9", None, RELAYED),
    ("plain", "POST /api/articles/7/comments/9", {"content": "a"}, "route.unjudged"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "request_", "body", "wanted"), REQUESTS)
def test_a_request_is_read_as_its_platform_reads_it(name: str, request_: str, body: Any, wanted: Judged | str) -> None:
    assert read(name, request_, body) == wanted


def test_every_preset_is_asked() -> None:
    assert {name for name, *_ in REQUESTS} == set(preset.names())


def packet(operation: int, body: object) -> bytes:
    data = json.dumps(body).encode()
    return (
        (16 + len(data)).to_bytes(4)
        + (16).to_bytes(2)
        + (1).to_bytes(2)
        + operation.to_bytes(4)
        + (1).to_bytes(4)
        + data
    )


@pytest.mark.parametrize(
    ("name", "target", "said", "wanted"),
    [
        ("phoenix", "/socket/websocket?vsn=2.0.0", ["1", "2", "room:7", "new_msg", {"body": "a"}],
         Judged("channels", "room:7", ("a",))),
        ("phoenix", "/socket/websocket?vsn=2.0.0", ["1", "2", "room:7", "edit_msg", {"body": "a", "id": 1}],
         Judged("channels", "room:7", ("a",), True)),
        ("phoenix", "/socket/websocket?vsn=2.0.0", [None, "3", "phoenix", "heartbeat", {}], RELAYED),
        ("phoenix", "/socket/websocket?vsn=2.0.0", ["1", "2", "room:7", "ban", {}], "frame.unknown"),
        ("phoenix", "/socket/websocket?vsn=1.0.0", OLDER, "frame.unknown"),
        ("phoenix", "/socket/websocket", OLDER, "frame.unknown"),
        ("phoenix", "/socket/websocket?vsn=2.0.0&vsn=1.0.0", OLDER, "frame.unknown"),
        ("graphql", "/graphql", {"type": "connection_init", "payload": {}}, RELAYED),
        ("graphql", "/graphql",
         {"id": "1", "type": "subscribe", "payload": {"query": SAY, "variables": {"room": "7", "text": "a"}}},
         Judged("graphql-socket", "7", ("a",))),
        ("graphql", "/graphql", {"id": "1", "type": "subscribe", "payload": {"query": ASK}}, RELAYED),
        ("graphql", "/graphql", {"id": "1", "type": "subscribe", "payload": {"query": "{ x }"}}, "frame.unknown"),
        ("bilibili-live", "/sub/7", packet(4, {"info": [[], "a"]}), Judged("live", "7", ("a",))),
        ("bilibili-live", "/sub/7", packet(2, {}), RELAYED),
        ("bilibili-live", "/sub/7", packet(9, {}), "frame.unknown"),
    ],
)  # fmt: skip
def test_a_frame_is_read_as_its_platform_reads_it(name: str, target: str, said: Any, wanted: Judged | str) -> None:
    assert frame(name, target, said) == wanted


@pytest.mark.parametrize("name", ["waline", "synapse", "discourse"])
def test_whoever_the_platform_does_not_know(name: str) -> None:
    asked = {
        "waline": ("POST /api/comment", {"comment": "a", "url": "/a/"}, Judged("comments", "/a/", ("a",))),
        "synapse": (f"PUT {MATRIX}/rooms/{ROOM}/send/m.room.message/1", {"body": "a"}, "sender.unknown"),
        "discourse": ("POST /posts", {"raw": "a", "topic_id": 7}, "sender.unknown"),
    }
    request, body, wanted = asked[name]
    told = read(name, request, body, told=Told())
    assert told == wanted or (isinstance(wanted, str) and told in (wanted, "sender.missing"))
