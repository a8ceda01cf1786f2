import re
from collections.abc import Callable

import pytest

from gateway import config
from gateway.config import Config

Read = Callable[..., Config]


def test_a_plain_configuration_raises_none(read: Read) -> None:
    assert config.warnings(read()) == []


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("https://platform.example/appeal?message={id}", "off", "policies.comment.appeal: is off"),
        ("?message={id}", "", "policies.comment.appeal: has no {id}"),
        ('match = "POST /', 'match = "PSOT /', "PSOT is a method that few know: did you mean “POST”?"),
        ('match = "POST /', 'match = "POST ', "articles is taken for a host"),
        ('trust = ["127.0.0.0/8"]', 'trust = ["0.0.0.0/0"]', "takes everybody"),
        ('text = "json:/content"', 'text = "json:/content"\nparts = ["json:/images"]', "parts: is not weighed"),
        ('text = "json:/content"', 'text = "json:/content"\nkeep = ["device"]', "keep: names device"),
        (
            'text = "json:/content"',
            'text = "json:/content"\nunjudged = "relay"',
            "written to /articles/{room}/comments",
        ),
        ('sender = "header:X-User-Id"', 'sender = "cookie:sessionid"', "a digest of it is kept"),
        (
            'sender = "header:X-User-Id"',
            'sender = "cookie:sessionid"\ndigest_sender = "never"',
            "stands in the journal in clear",
        ),
        ('lists = ["spam"]', 'lists = ["spam"], mode = "shadow"', ""),
        (
            'sender = "header:X-User-Id"',
            'sender = "json:/author"',
            'sender = "json:/author": is what its sender writes',
        ),
        ('sender = "header:X-User-Id"', 'sender = "hash:form:mail"', "anybody is whom they say"),
        ('text = "json:/content"', 'text = "json:/content"\nverified = "query:ok"', 'verified = "query:ok": is what'),
        ('text = "json:/content"', 'text = "json:/content"\ndevice = "json:/device"', ""),
        ('match = "POST /', 'match = "PUT /', "edit: is unset, so that each PUT is an edit"),
        ('match = "POST /', 'match = "POST|PUT /', ""),
        ('match = "POST /', 'edit = true\nmatch = "PUT /', ""),
        ('match = "POST /', 'edit = false\nmatch = "PUT /', ""),
        (
            'text = "json:/content"',
            'text = "json:/content"\nrelay_when = { "/op" = "ping" }',
            "relay_when: relays for what its sender writes into /op",
        ),
        (
            'text = "json:/content"',
            'text = "json:/content"\nmessage_when = { "/op" = "say" }\nrelay_when = { "/op" = "ping" }',
            "",
        ),
        (
            'text = "json:/content"',
            'text = "json:/content"\nmessage_when = { "/operationName" = "Say" }\n'
            'relay_when = { "/operationName" = "Read" }',
            "relay_when: relays for its operationName",
        ),
        (
            'text = "json:/content"',
            'text = "json:/content"\nmessage_when = { "/query" = "mutation" }\nrelay_when = { "/query" = "query" }',
            "",
        ),
        (
            '{ check = "identity", action = "reject", on_error = "reject", ground = "agreement 2.1" }',
            '{ check = "limit", action = "reject", on_error = "pass", ground = "g", limits = ["device 1/1s"] }',
            "device: is empty",
        ),
        (
            '{ check = "identity", action = "reject", on_error = "reject", ground = "agreement 2.1" }',
            '{ check = "parts", action = "label", on_error = "pass" }',
            "parts: is empty",
        ),
    ],
)
def test_doubts(before: str, after: str, told: str, read: Read) -> None:
    file = read(before, after)
    warnings = config.warnings(file)
    assert [told in warning for warning in warnings] == ([True] if told else [])
    for one in config.warned(file):
        assert one.en in warnings
        assert re.search(r"[\u4e00-\u9fff]", one.zh)
        key = re.compile(r"[\w.\[\]-]+", re.ASCII)
        assert key.match(one.zh)[0] == key.match(one.en)[0]  # type: ignore[index]


WHOAMI = """
[routes.whoami]
ask = "GET /me"
credentials = "cookie:session"
id = "json:/id"
on_error = "reject"
logout = "POST /log-out"
"""
LOG_OUT = '[[routes]]\nname = "log-out"\nmatch = "POST /log-out"\nupstream = "platform"\n'


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ('[server]\nunmatched = "read"\n', True),
        ('[server]\nunmatched = "refuse"\n', True),
        ('[server]\nunmatched = "read"\n' + LOG_OUT, False),
        ("", False),
    ],
)
def test_a_log_out_that_nothing_lets_through(more: str, told: bool, read: Read) -> None:
    found = config.warnings(read("header:X-User-Id", "whoami:", more=WHOAMI + more))
    assert len([one for one in found if "nobody can log out" in one]) == told


def test_a_put_beside_the_post_that_makes_messages_is_an_edit(read: Read) -> None:
    edits = """
[[routes]]
name = "edits"
match = "PUT /articles/{room}/comments/{id}"
surface = "comment"
upstream = "platform"
policy = "comment"
sender = "header:X-User-Id"
trust = ["127.0.0.0/8"]
text = "json:/content"
"""
    assert config.warnings(read(more=edits)) == []
    assert config.warnings(
        read('surface = "comment"', 'surface = "comment"', more=edits.replace("/articles", "/items"))
    )


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ('[lists.abuse]\npath = "spam.txt"\n', "lists.abuse: is used nowhere"),
        ('[policies.other]\nappeal = "off"\nrules = []\n', "policies.other: is used nowhere"),
        ('[control]\nlisten = "0.0.0.0:8081"\n', "tokens travel in clear"),
        ('[state]\nurl = "redis://state:6379"\n', "state.url: speaks in clear"),
        (
            '[journal.replicas.peers.b]\nurl = "http://10.0.0.2:8081"\nnode = 2\ntoken = "t"\n',
            "journal.replicas.peers.b.url: texts, personal data and the token travel in clear",
        ),
    ],
)
def test_doubts_about_sections(more: str, told: str, read: Read) -> None:
    assert any(told in warning for warning in config.warnings(read(more=more)))


@pytest.mark.parametrize(
    "url", ["redis://127.0.0.1:6379/0", "redis://localhost", "unix:///run/state.sock", "rediss://state"]
)
def test_state_that_is_near_or_hidden_is_fine(url: str, read: Read) -> None:
    assert config.warnings(read(more=f'[state]\nurl = "{url}"\n')) == []


SOCKET = """
[policies.chat]
appeal = "https://platform.example/{{id}}"
rules = [{rule}]
[[routes]]
name = "chat"
match = "GET /chat/{{room}}"
transport = "{transport}"
surface = "group"
upstream = "platform"
policy = "chat"
sender = "header:X-User-Id"
trust = ["127.0.0.0/8"]
text = "json:/content"
"""


@pytest.mark.parametrize(
    ("transport", "rule", "told"),
    [
        ("websocket", '{ check = "credit", action = "label", on_error = "pass", below = 40 }', True),
        ("websocket", '{ check = "credit", action = "reject", on_error = "label", ground = "g", below = 40 }', True),
        ("websocket", '{ check = "credit", action = "label", on_error = "pass", below = 40, mode = "shadow" }', False),
        ("websocket", '{ check = "credit", action = "reject", on_error = "pass", ground = "g", below = 40 }', False),
        ("http", '{ check = "credit", action = "label", on_error = "pass", below = 40 }', False),
    ],
)
def test_a_label_that_the_platform_would_never_see_is_told(transport: str, rule: str, told: bool, read: Read) -> None:
    found = config.warnings(read(more=SOCKET.format(transport=transport, rule=rule)))
    labels = [one for one in found if "labels messages" in one]
    assert [one.startswith("routes[chat].policy: chat labels messages (credit)") for one in labels] == [True] * told
