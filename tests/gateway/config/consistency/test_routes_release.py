"""A hold is refused where nothing says how the message gets to the platform once a person approved it."""

from __future__ import annotations

import tomllib

import pytest

from gateway.config.consistency import routes

TOML = """
[policies.p]
rules = [{{ check = "keywords", action = "{action}", on_error = "{on_error}", mode = "{mode}", ground = "g" }}]

[[routes]]
name = "r"
match = "{match}"
transport = "{transport}"
surface = "comment"
policy = "p"
sender = "jwt:sub"
text = "json:/text"
"""


def found(release: str, **changed: str) -> list[tuple[str, str]]:
    told = {"action": "hold", "on_error": "reject", "mode": "enforce", "match": "POST /{room}", "transport": "http"}
    document = tomllib.loads(TOML.format(**(told | changed)) + release)
    problems = routes.problems(document)
    return [(str(path[-1]), message) for path, message in problems if "release" in path]


WAYS = [
    '[routes.release]\nmatch = "POST /internal/{room}"',
    '[routes.release]\nreplay = ["Cookie"]',
    "[routes.release]\nticket = true",
]


def test_a_hold_needs_a_way_out() -> None:
    ((key, message),) = found("")
    assert key == "release"
    assert message.startswith("is missing: policy “p” holds messages")
    assert found("", on_error="hold", action="reject")
    assert found("[routes.release]\nticket = false")


@pytest.mark.parametrize("release", WAYS)
def test_each_of_the_three_is_one(release: str) -> None:
    assert found(release) == []


def test_what_holds_nothing_needs_none() -> None:
    assert found("", action="reject") == []
    assert found("", mode="shadow") == []


def test_a_frame_cannot_be_sent_again() -> None:
    socket = {"match": "GET /{room}", "transport": "websocket"}
    assert [key for key, _ in found(WAYS[1], **socket)] == ["release", "replay"]
    assert found(WAYS[0], **socket) == found(WAYS[2], **socket) == []


@pytest.mark.parametrize(
    ("release", "key"),
    [
        ('match = "POST /x/{id}"', "match"),
        ('match = "POST|PUT /x"', "match"),
        ('match = "POST /x"\nreplay = []', "replay"),
        ('ticket = true\non_behalf = "X-User"', "on_behalf"),
        ("ticket = true\nidempotent = true", "idempotent"),
    ],
)
def test_what_makes_no_sense_is_told(release: str, key: str) -> None:
    assert [one for one, _ in found(f"[routes.release]\n{release}")] == [key]
