"""Kinds of message: what each needs, and which relaying is doubtful."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway import config
from gateway.config import Config

Written = Callable[..., Path]
Read = Callable[..., Config]

JUDGED = '\n[[routes.messages]]\nwhen = { "json:/event" = "SAY" }\ntext = "json:/comment"\n'
RELAYED = '\n[[routes.messages]]\nwhen = { "json:/event" = ["COUNT"] }\nrelay = true\n'


def told(written: Written, more: str) -> list[str]:
    _, problems = config.check(written(more=more), environ={})
    return [str(problem).partition(": ")[2] for problem in problems]


@pytest.mark.parametrize(
    "more",
    [
        JUDGED, JUDGED + RELAYED, 'otherwise = "relay"' + JUDGED,
        JUDGED + 'room = ["json:/url", "{json:/a}:{json:/b}"]\nedit = true\npolicy = "comment"\nparts = "json:/i"\n',
    ],
)  # fmt: skip
def test_what_is_taken(written: Written, more: str) -> None:
    assert told(written, more) == []


@pytest.mark.parametrize(
    ("more", "key", "said"),
    [
        ('otherwise = "relay"', "otherwise", "name them with messages"),
        (RELAYED, "messages", "are all relayed"),
        ('relay_when = { "/a" = "b" }' + JUDGED, "relay_when", "does not go with messages"),
        ('message_when = { "/a" = "b" }' + JUDGED, "message_when", "does not go with messages"),
        (JUDGED + RELAYED + 'text = "json:/a"', "messages[2].text", "is said of what is relayed"),
        (JUDGED + 'policy = "coment"', "messages[1].policy", "is not in [policies]"),
        (JUDGED.replace('"json:/comment"', '"query:a"'), "messages[1].text", "is not in the body"),
        (JUDGED.replace('{ "json:/event" = "SAY" }', "{}"), "messages[1].when", "holds always"),
        (JUDGED.replace("json:/event", "json:event"), "messages[1].when", "does not name its source"),
        (JUDGED.replace("json:/event", "cookie:a"), "messages[1].when", "write one of"),
        (JUDGED.replace('= "SAY"', "= { sufix = 'a' }"), "messages[1].when", "known are"),
        (JUDGED + 'room = "path:thread"', "messages", "which match does not have"),
        (JUDGED + 'room = "{json:/a}{"', "messages[1].room", "is not composed of sources"),
        (JUDGED + 'room = "{json:/a}{json:/b}"', "messages[1].room", "nothing between them"),
        (JUDGED.replace('"SAY"', "9007199254740992"), "messages[1].when", "beyond 2^53"),
        (JUDGED + 'room = "a:{json:a}"', "messages[1].room", "does not name its source"),
    ],
)
def test_what_is_refused(written: Written, more: str, key: str, said: str) -> None:
    [problem] = told(written, more)
    assert key in problem
    assert said in problem


@pytest.mark.parametrize(
    ("more", "doubt"),
    [
        (JUDGED + RELAYED, ""),
        ('otherwise = "relay"' + JUDGED, "otherwise: is relay"),
        (JUDGED + RELAYED.replace("json:/event", "json:/operationName"), "writes into json:/operationName"),
        (JUDGED + RELAYED.replace("json:/event", "header:X-Kind"), "writes into header:X-Kind"),
        ((JUDGED + RELAYED).replace("json:/event", "json:/operationName"), "relays for its operationName"),
        ((JUDGED + RELAYED).replace("json:/event", "json:/payload/operationName"), "relays for its operationName"),
        ((JUDGED + RELAYED).replace("json:/event", "json:/query"), ""),
        (JUDGED + RELAYED.replace("json:/event", "path:room"), ""),
        (
            JUDGED + RELAYED.replace('{ "json:/event" = ["COUNT"] }', '{ not = { "json:/event" = "SAY" } }'),
            "list the values",
        ),
        (JUDGED + RELAYED.replace('["COUNT"]', "{ absent = true }"), "list the values"),
        (JUDGED + RELAYED.replace('["COUNT"]', '{ prefix = "GET_" }'), ""),
        (JUDGED + RELAYED.replace('{ "json:/event" = ["COUNT"] }', '{ any = [{ "json:/event" = "A" }] }'), ""),
        (JUDGED.replace('= "SAY"', "= { present = true }") + RELAYED, "writes into json:/event"),
        (JUDGED + RELAYED.replace('{ "json:/event" = ["COUNT"] }', '{ "json:/comment" = { absent = true } }'), ""),
        (
            JUDGED
            + JUDGED.replace("json:/comment", "json:/nick")
            + RELAYED.replace('{ "json:/event" = ["COUNT"] }', '{ all = [{ "json:/comment" = { absent = true } }] }'),
            "writes into json:/comment",
        ),
        (
            JUDGED
            + RELAYED.replace('{ "json:/event" = ["COUNT"] }', '{ any = [{ "json:/comment" = { absent = true } }] }'),
            "writes into json:/comment",
        ),
        (JUDGED + JUDGED.replace("json:/event", "json:/type") + RELAYED, "writes into json:/event"),
    ],
)
def test_relaying_that_hangs_on_what_a_sender_writes(read: Read, more: str, doubt: str) -> None:
    doubts = [one for one in config.warnings(read(more=more)) if "messages[" in one or "otherwise" in one]
    assert len(doubts) == bool(doubt), doubts
    assert not doubt or doubt in doubts[0]


def test_a_kind_is_as_the_route_says_but_for_what_it_says_itself(read: Read) -> None:
    [kind] = read(more=JUDGED + RELAYED).routes[0].kinds
    assert (kind.text, kind.room, kind.policy, kind.name) == (("json:/comment",), ("path:room",), "comment", "comments")
