"""A body made of a record alone: as the route reads one, or none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from gateway import config as configuration
from gateway.config.sections.routes import Route
from gateway.control.releasing.remade_body import remade
from gateway.parking.parked import ParkedRequest
from tests.gateway.control.releasing.test_publishing import PARKED, RELEASE, TOML


@pytest.fixture
def route(tmp_path: Path) -> Any:
    def make(more: str = "", text: str = 'text = "json:/content"') -> Route:
        path = tmp_path / "tidegate.toml"
        written = TOML.replace('text = "json:/content"', text.replace("{", "{{").replace("}", "}}"))
        path.write_text(written.format(port=1, release="ticket = true", more=more))
        return configuration.load(path).routes[0]

    return make


def body(route: Route, *texts: str, **changed: Any) -> Any:
    parked: ParkedRequest = PARKED._replace(restores="m", **changed)
    made = remade(route, parked, texts or parked.texts, RELEASE)
    return made and (json.loads(made.body) if made.kind == "application/json" else made.body.decode())


def test_json_with_what_else_has_a_place(route: Any) -> None:
    made = route('room = ["json:/article/id"]\nmessage_when = { "/type" = ["chat", "x"] }\nid_to = "json:/gate/id"')
    assert body(made) == {
        "type": "chat", "article": {"id": "文章/1"}, "gate": {"id": RELEASE}, "content": "buy this",
    }  # fmt: skip


def test_several_texts_in_their_places_and_elements_of_one_array(route: Any) -> None:
    made = route(text='text = ["json:/title", "json:/body~1text"]')
    assert body(made, "a", "b") == {"title": "a", "body/text": "b"}
    assert body(made, "a") is None
    assert body(route(text='text = ["json:/blocks/*/text"]'), "a", "b") == {"blocks": [{"text": "a"}, {"text": "b"}]}
    assert body(route(text='text = ["json:/lines/*"]'), "a") == {"lines": ["a"]}


def test_a_form_and_a_plain_text(route: Any) -> None:
    made = route('room = ["form:thread"]', text='text = ["form:title", "form:message"]')
    assert parse_qsl(body(made, "甲 & b", "c=d")) == [("thread", "文章/1"), ("title", "甲 & b"), ("message", "c=d")]
    assert body(route(text='text = ["text:"]'), "just this") == "just this"


def test_none_where_the_record_is_not_enough(route: Any) -> None:
    assert body(route(), parts=("image",)) is None
    assert body(route('each = "/events/*"')) is None
    assert body(route(text='text = ["json:/events/0/text"]')) is None
    assert body(route('room = ["json:/content/id"]')) is None  # two places that exclude each other
    assert body(route('room = ["json:/lines/id"]', text='text = ["json:/lines/*"]'), "a") is None
