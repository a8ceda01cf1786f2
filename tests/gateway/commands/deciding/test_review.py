"""``tidegate review``: what is asked, and what a person is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gateway.commands.deciding.review import app
from gateway.control.api import client

TEXT = {"texts": ["buy gold\x1b[31m"], "masked": None, "findings": [], "missing": ""}
CASE = {
    "id": 7, "kind": "message", "message_id": "m1", "route": "comments", "room": "r1", "sender": "u1",
    "state": "claimed", "causes": [{"cause": "hold", "reason": "keywords.match"}], "words": ["gold"],
    "age": 4000.0, "desk": "first", "expires_at": 1_700_000_000_000_000, "claimed_by": "ann", "text": TEXT, "trace": [],
}  # fmt: skip
ACT = {"act": 3, "in_force": True, "journalled": True, "projected": True}


class Control:
    """Answers by path; ``asked`` is what it heard."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[tuple[str, str, Any, Any]] = []
        self.answers: dict[str, Any] = {}
        control = self

        async def call(self: object, method: str, path: str, body: Any = None, query: Any = None) -> Any:
            control.asked.append((method, path.removeprefix("/v1/review"), body, query))
            return control.answers[path.removeprefix("/v1/review")]

        monkeypatch.setattr(client.ControlClient, "call", call)
        monkeypatch.setenv(client.TOKEN, "tg_x")

    def run(self, *words: str) -> Any:
        return CliRunner().invoke(app, [*words, "--url", "http://127.0.0.1:1"])


@pytest.fixture
def control(monkeypatch: pytest.MonkeyPatch) -> Control:
    monkeypatch.setattr("gateway.commands.terminal.shown_to_a_person", lambda: True)
    return Control(monkeypatch)


def test_the_list_asks_for_words_and_tells_of_more(control: Control) -> None:
    control.answers["/cases"] = {"cases": [CASE], "next": "5:7"}
    done = control.run("list", "--route", "comments")
    assert control.asked[0][3] == {"state": "waiting", "route": "comments", "limit": "50", "words": "true"}
    assert "1h06m" in done.stdout
    assert "gold" in done.stdout
    assert "--after 5:7" in done.stderr


def test_a_route_that_the_configuration_does_not_have_is_refused(
    control: Control, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tidegate.toml").write_text('[[routes]]\nname = "news"\n')
    for words in (("list", "--route", "nesw"), ("claim", "--next", "2", "--route", "nesw")):
        done = control.run(*words)
        assert done.exit_code == 2
        assert "“news”" in done.stderr
    assert control.asked == []


def test_a_case_is_shown_and_its_text_commands_no_terminal(control: Control) -> None:
    control.answers["/cases/7"] = CASE
    done = control.run("show", "7")
    assert "buy gold\N{REPLACEMENT CHARACTER}[31m" in done.stdout


def test_claims_are_shown_and_those_that_could_not_be_had_are_told(control: Control) -> None:
    refused = [{"case": 8, "reason": "review.claimed", "detail": "bob has claimed this case."}]
    control.answers["/cases:claim"] = ACT | {"result": {"cases": [CASE], "refused": refused}}
    done = control.run("claim", "7", "8")
    assert control.asked[0][2] == {"cases": [7, 8]}
    assert "case 8: bob has claimed this case." in done.stderr
    control.run("claim", "--next", "5", "--route", "comments")
    assert control.asked[1][2] == {"count": 5, "route": "comments"}


def test_a_ground_is_a_digit_or_a_text(control: Control) -> None:
    control.answers["/cases/7:refuse"] = ACT | {"result": {"came_to": "proposed"}}
    done = control.run("refuse", "7", "--ground", "2")
    assert control.asked[0][2] == {"digit": 2}
    assert "a second person" in done.stdout
    control.run("refuse", "7", "--ground", "article 5", "--second", "--seen", "3")
    assert control.asked[1][2] == {"ground": "article 5", "second": True, "seen": 3}
    assert control.run("refuse", "7").exit_code == 2


def test_approved_escalated_undone_and_given_back(control: Control) -> None:
    control.answers |= {
        "/cases/7:approve": ACT | {"result": {"came_to": "decided"}},
        "/cases/7:escalate": ACT | {"result": CASE},
        "/cases/7:undo": ACT | {"result": CASE},
        "/cases/7:release": ACT | {"result": CASE | {"state": "waiting"}},
        "/cases:release": ACT | {"result": {"released": 2}},
    }
    for words in (
        ["approve", "7", "--masked"], ["escalate", "7", "--note", "n"], ["undo", "7"],
        ["release", "7", "--note", "n"], ["release", "--all"],
    ):  # fmt: skip
        assert control.run(*words).exit_code == 0, words
    assert [one[2] for one in control.asked] == [{"masked": True}, {"note": "n"}, {}, {"note": "n"}, {}]
    for words in (["release"], ["release", "7", "--all"], ["approve", "7", "--over", "sender", "--masked"]):
        assert control.run(*words).exit_code == 2, words


def test_many_at_once_are_counted_before(control: Control) -> None:
    left = {"claimed": 1, "desk": 0, "kept": 0, "more": 0}
    control.answers["/cases:preview"] = {"count": 4, "cases": [CASE], **left}
    control.answers["/cases:decide"] = ACT | {"result": {"decided": 4, **left}}
    done = control.run("refuse", "7", "--ground", "1", "--over", "campaign", "--yes")
    assert control.asked[0][2] == {"case": 7, "over": "campaign"}
    assert control.asked[1][2] == {"case": 7, "over": "campaign", "outcome": "refused", "digit": 1, "count": 4}
    assert "left out: 1 that others hold" in done.stdout
    assert len(control.asked) == 2
    CliRunner().invoke(app, ["approve", "7", "--over", "sender", "--url", "http://127.0.0.1:1"], input="n\n")
    assert len(control.asked) == 3  # it was not decided


def test_the_desk_tells_how_much_waits(control: Control) -> None:
    control.answers[""] = {
        "open": False, "opens_at": 1_700_000_000_000_000, "oldest": 61.0, "overdue": 2, "claimed": 1, "decided": 0,
        "mine": 1, "waiting": {"first": 3}, "grounds": [{"digit": 1, "ground": "article 5"}],
    }  # fmt: skip
    told = control.run("desk").stdout
    assert "3 at the first desk" in told
    assert "1m01s" in told
    assert "1  article 5" in told


def test_whose_account_is_whose(control: Control) -> None:
    control.answers["/senders"] = {"senders": [{"sender": "u1", "person": "ann"}]} | ACT | {"result": {"person": "ann"}}
    control.answers["/senders/u1"] = ACT | {"result": {"removed": True}}
    assert "u1" in control.run("senders", "list", "--reason", "r").stdout
    assert "ann's" in control.run("senders", "name", "u1", "--reason", "r").stdout
    assert control.asked[1][2] == {"sender": "u1", "reason": "r"}
    assert control.run("senders", "lift", "u1", "--reason", "r").exit_code == 0


def test_cases_and_the_queue_are_not_claimed_at_once(control: Control) -> None:
    for words in (("7", "--next", "3"), ("7", "--route", "comments")):
        done = control.run("claim", *words)
        assert done.exit_code == 2
        assert "--next" in done.stderr
    assert control.asked == []


def test_a_queue_is_previewed_and_decided_by_what_it_has_in_common(control: Control) -> None:
    left = {"claimed": 1, "desk": 0, "kept": 0, "more": 0}
    control.answers["/cases:preview"] = {"count": 2, "cases": [CASE], **left}
    control.answers["/cases:decide"] = {**ACT, "result": {"decided": 2, **left}}
    done = control.run("bulk", "refused", "--ground", "2", "--room", "r7", "--list", "spam", "--word", "9", "--yes")
    assert done.exit_code == 0
    common = {"over": "queue", "room": "r7", "list": "spam", "word": 9}
    assert control.asked[0][2] == common
    assert control.asked[1][2] == {**common, "outcome": "refused", "digit": 2, "count": 2}
    assert "1 that others hold" in done.stdout
    asked = len(control.asked)
    for words in (
        ("approved",),
        ("approved", "--word", "9"),
        ("refused", "--room", "r7"),
        ("approved", "--ground", "2"),
    ):
        assert control.run("bulk", *words, "--yes").exit_code == 2
    assert len(control.asked) == asked
