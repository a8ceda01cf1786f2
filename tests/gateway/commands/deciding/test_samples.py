"""``tidegate review samples``: what is asked, and what a person is told."""

from __future__ import annotations

from typing import Any

import pytest

from tests.gateway.commands.deciding.test_review import ACT, TEXT, Control

SAMPLE = {
    "id": 4, "case": 7, "message_id": "m1", "route": "comments", "room": "r1", "category": "fraud", "drawn_at": 1,
    "state": "decided", "first_by": "ann", "first_outcome": "refused", "first_ground": "article 5",
    "outcome": "approved", "ground": "", "decided_by": "bob", "decided_at": 2, "differs": "outcome",
    "settled_by": "", "settled_at": 0,
}  # fmt: skip


@pytest.fixture
def control(monkeypatch: pytest.MonkeyPatch) -> Control:
    monkeypatch.setattr("gateway.commands.terminal.shown_to_a_person", lambda: True)
    return Control(monkeypatch)


def test_disagreements_are_told_with_both_decisions(control: Control) -> None:
    control.answers["/samples"] = {"samples": [SAMPLE], "waiting": 3, "disagreed": 1}
    done = control.run("samples", "list", "--limit", "1")
    assert control.asked[0][3] == {"state": "disagreed", "limit": "1"}
    for told in ("article 5", "approved", "outcome"):
        assert told in done.stdout
    assert "3 wait for somebody, 1 for a lead" in done.stderr
    assert "--before 4" in done.stderr


def test_a_sample_is_claimed_shown_and_decided(control: Control) -> None:
    shown: dict[str, Any] = {
        "id": 4,
        "route": "comments",
        "room": "r1",
        "category": "fraud",
        "causes": [],
        "text": TEXT,
    }
    shown |= {"words": ["gold"], "claimed_until": 1_700_000_000_000_000}
    control.answers["/samples:claim"] = {**ACT, "result": shown}
    done = control.run("samples", "claim", "--category", "fraud")
    assert control.asked[0][2] == {"category": "fraud"}
    assert "buy gold" in done.stdout
    assert "\x1b[31m" not in done.stdout
    control.answers["/samples/4:decide"] = {**ACT, "result": {"id": 4}}
    for words, body in (
        (("refused", "--ground", "2"), {"outcome": "refused", "digit": 2}),
        (("refused", "--ground", "article 5"), {"outcome": "refused", "ground": "article 5"}),
        (("approved",), {"outcome": "approved"}),
    ):
        assert control.run("samples", "decide", "4", *words).exit_code == 0
        assert control.asked[-1][2] == body
    asked = len(control.asked)
    for words in (("refused",), ("approved", "--ground", "2")):
        assert control.run("samples", "decide", "4", *words).exit_code == 2
    assert len(control.asked) == asked


def test_given_back_and_settled(control: Control) -> None:
    control.answers["/samples/4:release"] = {**ACT, "result": {"released": 1}}
    control.answers["/samples/4:settle"] = {**ACT, "result": {"id": 4}}
    assert control.run("samples", "release", "4").exit_code == 0
    assert control.run("samples", "settle", "4", "--reason", "both can be defended").exit_code == 0
    assert control.asked[-1][2] == {"reason": "both can be defended"}


def test_agreement_by_ground(control: Control) -> None:
    row = {"outcome": "refused", "ground": "article 5", "first": 10, "second": 10, "both": 9, "share": 0.9}
    told = {"decided": 50, "alike": 45, "outcomes": 48, "kappa": 0.81, "grounds": [row]}
    control.answers["/agreement"] = told
    done = control.run("samples", "agreement", "--since", "2026-11-01T00:00")
    assert control.asked[0][3]["since"].isdigit()
    assert "alike: 90 %; the same outcome: 96 %; kappa 0.81" in done.stdout
    assert "article 5" in done.stdout
    control.answers["/agreement"] = {**told, "decided": 0, "grounds": []}
    assert "nothing was decided twice" in control.run("samples", "agreement").stdout
