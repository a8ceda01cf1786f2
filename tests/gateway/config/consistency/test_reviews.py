"""A hold has somewhere to wait, and nothing of news appears without a person's approval."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway import config

Written = Callable[..., Path]
RULE = '{ check = "identity", action = "reject", on_error = "reject", ground = "agreement 2.1" }'
HELD = '{ check = "review", action = "hold", on_error = "reject", ground = "comment provisions 5(3)" }'
REVIEW = f'\n[review]\nkey = "{"0" * 64}"\non_cap = "reject"\n'

RELEASED = "release = { ticket = true }\n"
KIND = '\n[[routes.messages]]\nwhen = { "json:/a" = 1 }\n'


def said(written: Written, *args: str, more: str = "") -> list[str]:
    return [str(one) for one in config.check(released(written(*args, more=more)))[1]]


def released(file: Path, more: str = "") -> Path:
    """The route says how one that is approved gets to the platform."""
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace('policy = "comment"\n', f'policy = "comment"\n{RELEASED}{more}'), encoding="utf-8")
    return file


@pytest.mark.parametrize("word", ["action", "on_error"])
def test_a_hold_needs_a_table(written: Written, word: str) -> None:
    rule = RULE.replace(f'{word} = "reject"', f'{word} = "hold"')
    (told,) = said(written, RULE, rule)
    assert "there is no [review] table" in told
    assert f"rules[1 identity].{word}" in told
    assert said(written, RULE, rule, more=REVIEW) == []


@pytest.mark.parametrize(
    ("rule", "well"),
    [
        (HELD, True),
        (HELD.replace('on_error = "reject"', 'on_error = "hold"'), True),
        (RULE, False),
        (HELD.replace('"hold"', '"label"'), False),
        (HELD.replace('"reject"', '"pass"'), False),
        (HELD.replace('"reject"', '"label"'), False),
        (HELD.replace(" }", ', mode = "shadow" }'), False),
        (RULE.replace('action = "reject"', 'action = "hold"'), False),
    ],
)
def test_news_holds_everything(written: Written, rule: str, well: bool) -> None:
    file = released(written(RULE, rule, more=REVIEW), "news = true\n")
    if "hold" not in rule:
        file.write_text(file.read_text(encoding="utf-8").replace(RELEASED, ""), encoding="utf-8")
    problems = [str(one) for one in config.check(file)[1]]
    assert (problems == []) is well, problems
    assert well or "this route is news" in problems[0]


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ('on_cap = "reject"', 'on_cap = "pass"', "review.on_cap"),
        ('on_cap = "reject"', 'on_cap = "label"', "review.on_cap"),
        ("news = true", 'news = true\nunjudged = "relay"', "unjudged"),
        ("news = true", 'news = true\ndelay = "5s"', "delay"),
        ("news = true", 'news = true\ndelay = "0s"', ""),
        ("news = true", f'news = true{KIND}policy = "open"', "messages[1].policy"),
        ("news = true", f"news = true{KIND}relay = true{KIND}edit = true", ""),
    ],
)  # fmt: skip
def test_no_other_way_past_a_person(written: Written, before: str, after: str, told: str) -> None:
    opened = f'\n[policies.open]\nappeal = "off"\nrules = [{RULE}]\n'
    file = released(written(RULE, HELD))
    text = f"{REVIEW}{opened}{file.read_text(encoding='utf-8')}news = true\n"
    file.write_text(text.replace(before, after), encoding="utf-8")
    problems = [str(one) for one in config.check(file)[1]]
    assert len(problems) == bool(told), problems
    assert not told or told in problems[0]


def test_news_without_a_surface_means_nothing(written: Written) -> None:
    more = '[[routes]]\nname = "other"\nmatch = "POST /other"\nupstream = "platform"\nnews = true\n'
    (told,) = said(written, more=more)
    assert "has no effect without a surface" in told


def test_a_delay_needs_a_table_a_surface_and_an_end(written: Written) -> None:
    judged = 'policy = "comment"\n'
    (told,) = said(written, judged, f'{judged}delay = "5s"\n')
    assert "there is no [review] table" in told
    assert said(written, judged, f'{judged}delay = "5s"\n', more=REVIEW) == []
    assert "at most 5m" in said(written, judged, f'{judged}delay = "6m"\n', more=REVIEW)[0]
    more = f'[[routes]]\nname = "other"\nmatch = "POST /other"\nupstream = "platform"\ndelay = "5s"\n{REVIEW}'
    (told,) = said(written, more=more)
    assert "has no effect without a surface" in told


def test_a_delay_longer_than_a_stop_takes_is_doubted(written: Written) -> None:
    judged = 'policy = "comment"\n'
    for delay, doubted in (("30s", False), ("31s", True)):
        file = released(written(judged, f'{judged}delay = "{delay}"\n', more=REVIEW))
        doubts = [one for one in config.warnings(config.load(file)) if "longer than server.drain" in one]
        assert bool(doubts) is doubted


@pytest.mark.parametrize("key", ["hunter2", "0" * 63, "zz" * 32])
def test_a_key_is_32_bytes(written: Written, key: str) -> None:
    (told,) = said(written, more=REVIEW.replace("0" * 64, key))
    assert "64 hexadecimal digits" in told
    assert f'"{key}"' not in told
    (told,) = said(written, more=REVIEW + f'previous_keys = ["{key}"]\n')
    assert "64 hexadecimal digits" in told


def test_what_becomes_of_one_more_has_no_default(written: Written) -> None:
    (told,) = said(written, more=REVIEW.replace('on_cap = "reject"\n', ""))
    assert "review.on_cap" in told


def test_what_news_relays_unread_is_doubted(written: Written) -> None:
    changed = 'news = true\nrelay_when = { "/type" = "typing" }\ntext = "json:/content"'
    file = released(written('text = "json:/content"', changed, more=REVIEW))
    file.write_text(file.read_text(encoding="utf-8").replace(RULE, HELD), encoding="utf-8")
    doubts = config.warnings(config.load(file))
    assert [one for one in doubts if "no person has approved" in one]


RECEIVER = """
[[callbacks]]
name = "platform"
url = "https://platform.example/hook"
secret = "0123456789abcdef"
"""


def with_receivers(written: Written, more: str) -> list[str]:
    return [str(one) for one in config.check(written(more=more), environ={})[1]]


def test_receivers_that_are_right(written: Written) -> None:
    assert (
        with_receivers(written, RECEIVER + 'routes = ["comments"]\nevents = ["message.held", "appeal.upheld"]\n') == []
    )


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (RECEIVER + RECEIVER, "is the name of receiver 1 as well"),
        (RECEIVER + 'routes = ["comment"]\n', "is no route: did you mean “comments”?"),
        (RECEIVER.replace('"platform"', '"on-call"'), "is the name of what [desk.on_call] hears"),
        (RECEIVER.replace("0123456789abcdef", "0123456789abcde"), "is too short"),
        (RECEIVER.replace("0123456789abcdef", ""), "is empty"),
        (RECEIVER + 'previous_secrets = ["short"]\n', "is too short"),
        (RECEIVER + 'events = ["message.read"]\n', "message.read"),
        (RECEIVER + "waiting = 1\n", "waiting"),
        (RECEIVER.replace("https://", "ftp://"), "is not an address"),
        (RECEIVER.replace("https://", "https://user:pw@"), "leave them out"),
        (RECEIVER.replace("/hook", "/hook#part"), "leave them out"),
        (RECEIVER.replace("/hook", "/ho ok"), "is not an address"),
        (RECEIVER.replace("platform.example", "platform.example:99999"), "is not an address"),
        (RECEIVER.replace("https://platform.example/hook", ""), "is not an address"),
    ],
)
def test_receivers_that_are_wrong(written: Written, more: str, told: str) -> None:
    (problem,) = with_receivers(written, more)
    assert told in problem
    assert "pw" not in problem.partition(":")[2].replace("***", "")


def test_what_is_signed_is_not_hidden(written: Written) -> None:
    def warned(url: str) -> list[str]:
        more = RECEIVER.replace("https://platform.example/hook", url) + f'[desk.on_call]\nurl = "{url}"\n'
        return [one for one in config.warnings(config.load(written(more=more), environ={})) if "in clear" in one]

    assert len(warned("http://10.0.0.7/hook")) == len(warned("http://platform.example/hook")) == 2
    for well in (
        "https://platform.example/hook",
        "http://127.0.0.1:9/hook",
        "http://[::1]:9/hook",
        "http://localhost/",
    ):
        assert warned(well) == []
