"""Arrays in a body, as configuration: what does not go together, and what lets one element speak for others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway import config
from gateway.config import Config

Written = Callable[..., Path]
Read = Callable[..., Config]
TEXT = 'text = "json:/content"'
RELAYED = '\n[[routes.messages]]\nwhen = { "json:/method" = "count" }\nrelay = true'
JUDGED = '\n[[routes.messages]]\nwhen = { "json:/method" = "say" }\ntext = "json:/params/text"'


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('each = "/*"', ""),
        ('each = "/events/*"\nroom = "whole:/room"\nmax_elements = 8\ncut_refused = true', ""),
        ('each = "/events/*"' + JUDGED.replace("json:/method", "whole:/type"), ""),
        ('each = "/"', "each"),
        ('each = "/*/a/*"', "is no array"),
        ('each = "json:/*"', "is no array"),
        ("max_elements = 0", "max_elements"),
        ("cut_refused = true", "say which they are with each"),
        ('room = "whole:/room"', "there is no each"),
        ('each = "/*"\nroom = "{whole:/site}:{json:/page}"', "nothing stands around"),
        ('each = "/*"' + JUDGED.replace("json:/method", "whole:/type"), "nothing stands around"),
        ('each = "/*"\nupstream_id = "json:/id"', "known to the platform alone"),
        ('each = "/*"\nid_to = "header:X-Our-Id"', "one header for several"),
        ('each = "/*"\nid_to = "json:/our_id"', ""),
        ('room = "json:/rooms/*/id"', "has * for a key"),
    ],
)
def test_what_does_not_go_together(written: Written, more: str, said: str) -> None:
    _, problems = config.check(written(TEXT, f"{TEXT}\n{more}"))
    assert len(problems) == bool(said), problems
    assert not said or said in str(problems[0])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('text = "json:/blocks/*/text"', ""),
        ('text = "json:/*/text"', ""),
        ('text = ["form:a", "filename:*", "filename:photo"]', ""),
        ('text = "filename:"', "does not name its source"),
        ('text = "form:a"\neach = "/*"', "no text is read from JSON"),
        ('text = "json:/a"\nsender = "filename:a"', "is not a source"),
        ('text = "json:/a"\nroom = "{filename:a}:{json:/b}"', "a room is no text"),
        ('text = "json:/a"\ntransport = "websocket"\neach = "/*"', "each"),
    ],
)
def test_what_texts_may_be(written: Written, text: str, said: str) -> None:
    file = written(TEXT, text)
    if "sender =" in text:
        file.write_text(file.read_text().replace('sender = "header:X-User-Id"\n', ""))
    if "websocket" in text:
        file.write_text(file.read_text().replace('match = "POST', 'match = "GET'))
    _, problems = config.check(file)
    assert len(problems) == bool(said), problems
    assert not said or said in str(problems[0])


SPREAD = 'text = "json:/items/*/text"'


@pytest.mark.parametrize(
    ("text", "doubt"),
    [
        (f"{SPREAD}\noptional_text = true", "elements without a text"),
        (f'{SPREAD}\nroom = "json:/items/0/room"', "reads one element"),
        (f'{SPREAD}\nroom = "{{json:/site}}:{{json:/items/1/room}}"', "reads one element"),
        (f'{SPREAD}\nrelay_when = {{ "/items/0/type" = "ping" }}', "reads one element"),
        (SPREAD + JUDGED.replace("json:/method", "json:/items/0/type").replace("params", "items/*"), "reads one"),
        (f'{SPREAD}\nroom = "json:/0/room"', ""),
        (f'{TEXT}\neach = "/*"\ncut_refused = true', "answer is shorter"),
        (f'{TEXT}\neach = "/*"\nrefusal = {{ body = "no" }}', "with one text"),
        (f'{TEXT}\neach = "/*"\nrefusal = {{ body = {{ error = "no" }} }}', ""),
        (f'{TEXT}\neach = "/*"' + JUDGED + RELAYED, ""),
        (TEXT, ""),
    ],
)
def test_what_lets_one_element_speak_for_others(read: Read, text: str, doubt: str) -> None:
    doubts = config.warnings(read(TEXT, text))
    assert any(doubt in one for one in doubts) if doubt else not doubts, doubts


def test_labels_of_several_messages_are_told(read: Read) -> None:
    rule = '{ check = "keywords", action = "label", label = "ad", on_error = "pass", ground = "g", lists = ["spam"] },'
    before = '{ check = "identity", action = "reject", on_error = "reject", ground = "agreement 2.1" },'
    assert config.warnings(read(before, rule)) == []
    file = read(f"{before}", f"{rule}", more='each = "/*"\n')
    assert any("stands for the whole request" in one for one in config.warnings(file))


def test_a_judged_prefix_says_what_it_refuses(read: Read) -> None:
    told = config.warnings(read("/articles/{room}/comments", "/articles/{room}/**"))
    assert [one for one in told if "whatever lies below" in one]


@pytest.mark.parametrize("key", ["takedown = { match = ", "access = "])
def test_what_is_asked_has_one_address(written: Written, key: str) -> None:
    end = " }" if "{" in key else ""
    file = written(TEXT, f'{TEXT}\nid_to = "json:/id"\n{key}"DELETE /a/**"{end}')
    _, problems = config.check(file)
    assert [one for one in problems if "write the whole path" in str(one)]
