"""``[routes.whoami]``: what is refused and what is doubted, each with its remedy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway import config
from gateway.generation import conversion

CONFIG = """
[upstreams.platform]
servers = ["http://127.0.0.1:9000"]
[policies.open]
appeal = "off"
rules = [{rules}]
[[routes]]
name = "comments"
match = "POST /comments/{{room}}"
surface = "comment"
upstream = "platform"
policy = "open"
text = "json:/content"
sender = {sender}
{more}
{whoami}
"""
WHOAMI = """
[routes.whoami]
ask = "GET /me"
credentials = "cookie:session"
id = "json:/id"
on_error = "reject"
"""
BLOCKS = '{ check = "block", action = "reject", on_error = "reject", ground = "agreement 2.2" }'


def check(folder: Path, **changed: str) -> tuple[Any, list[str]]:
    path = folder / "tidegate.toml"
    parts = {"rules": BLOCKS, "sender": '"whoami:"', "more": "", "whoami": WHOAMI} | changed
    path.write_text(CONFIG.format(**parts), encoding="utf-8")
    made, problems = config.check(path, environ={})
    return made, [str(problem) for problem in problems]


def test_a_plain_one(tmp_path: Path) -> None:
    made, problems = check(tmp_path)
    assert problems == []
    assert conversion.unbuildable(made, "x") == []
    settings = conversion.whoami(made.routes[0].whoami)
    assert (settings.credentials, settings.cache, settings.max_asked.quota) == (("cookie:session",), 60.0, 200)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ('on_error = "reject"', "", "on_error"),
        ('on_error = "reject"', 'on_error = "pass"', "no source of sender follows"),
        ('on_error = "reject"', 'on_error = "hold"', "on_error"),
        ('"cookie:session"', '"cookie:"', "is no credential"),
        ('"cookie:session"', '"header:Cookie"', "of cookies name each"),
        ('"cookie:session"', '"query:token"', "is no credential"),
        ('"cookie:session"', "[]", "credentials"),
        ('"json:/id"', '"json:id"', "is no place of an answer"),
        ('"json:/id"', '"cookie:id"', "is no place of an answer"),
        ('"GET /me"', '"GET /me/{room}"', "at one address for everybody"),
        ('"GET /me"', '"DELETE /me"', "asks by another method"),
        ('on_error = "reject"', 'on_error = "reject"\nbridge = "10m"', "is without logout"),
        ('on_error = "reject"', 'on_error = "reject"\nbridge = "2d"\nlogout = "POST /x"', "bridge"),
        ('on_error = "reject"', 'on_error = "reject"\nlogout = "POST /comments/{room}"', "judges"),
        ('on_error = "reject"', 'on_error = "reject"\ndeadline = "0s"', "deadline"),
        ('on_error = "reject"', 'on_error = "reject"\ndeadline = "31s"', "deadline"),
        ('on_error = "reject"', 'on_error = "reject"\ncache = "0s"', "cache"),
        ('on_error = "reject"', 'on_error = "reject"\nmax_known = 5', "max_known"),
    ],
)
def test_slips(before: str, after: str, told: str, tmp_path: Path) -> None:
    assert before in WHOAMI
    _, problems = check(tmp_path, whoami=WHOAMI.replace(before, after))
    assert problems
    assert any(told in problem for problem in problems), problems


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"sender": '"const:visitor"'}, "is asked for nothing"),
        ({"whoami": ""}, "say at which address the platform is asked"),
        ({"sender": '"const:"', "whoami": ""}, "does not name its source"),
        ({"sender": '"ip:x"', "whoami": ""}, "does not name its source"),
        ({"sender": '"hash:hash:ip:"', "whoami": ""}, "is not a source"),
        ({"sender": '"hash:jwt:sub"', "whoami": ""}, "no [jwt] section"),
        ({"sender": '"hash:header:X-User"', "whoami": ""}, "can be written by anybody"),
        ({"sender": '"hash:path:who"', "whoami": ""}, "which match does not have"),
        ({"more": 'room = "whoami:"'}, "is not a source"),
        ({"more": 'room = "hash:path:room"'}, "is not a source"),
    ],
)
def test_sources(changed: dict[str, str], told: str, tmp_path: Path) -> None:
    _, problems = check(tmp_path, **changed)
    assert any(told in problem for problem in problems), problems


def test_weak_senders_are_told_of(tmp_path: Path) -> None:
    made, problems = check(tmp_path, sender='["whoami:", "ip:", "const:visitor"]')
    assert problems == []
    told = config.warnings(made)
    assert any("“ip:”, “const:visitor”: names no person" in one for one in told), told
    assert any("write “hash:ip:”" in one for one in told), told
    identity = BLOCKS.replace("block", "identity")
    made, _ = check(tmp_path, sender='"hash:ip:"', whoami="", rules=identity)
    told = config.warnings(made)
    assert any("asks for an identity, which nobody of these has" in one for one in told), told
    assert not any("write “hash:ip:”" in one for one in told)
