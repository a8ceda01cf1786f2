"""A draft over the API: held against the record, put in force as one act."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.control.lists.drafts import BackTests
from gateway.generation.changes import LineChanges

ROW = ["m1", "comments", "r1", 5, "pass", ["pearls"]]


class Answers(BackTests):
    """Notes what it is asked, and answers as told."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, LineChanges, int]] = []
        self.told: dict[str, Any] = {
            "looked_at": 9, "complete": True, "newly": {"count": 1, "messages": [ROW]},
            "no_longer": {"count": 0, "messages": []},
        }  # fmt: skip

    async def run(self, name: str, changes: LineChanges, since_us: int, most: int) -> dict[str, Any]:
        self.asked.append((name, changes, most))
        return self.told


@pytest.fixture
def drafts(api: Any) -> Answers:
    made = Answers()
    services = api.plant.services
    object.__setattr__(services, "features", [*services.features, made])
    return made


async def test_a_draft_is_held_against_the_record_on_top_of_what_is_changed(api: Any, drafts: Answers) -> None:
    for line in ("coins", "shells"):
        await api("POST", "/v1/lists/spam/words", json={"line": line, "reason": "r"})
    body = {"add": ["pearls"], "leave_out": ["buy", "shells"], "messages": 50}
    told = await api("POST", "/v1/lists/spam:backtest", json=body)
    assert drafts.asked == [("spam", LineChanges(("coins", "pearls"), ("buy",)), 50)]
    assert (told["looked_at"], told["newly"], told["no_longer"]) == (9, 1, 0)
    assert told["newly_hit"][0]["words"] == ["pearls"]
    assert [one["line"] for one in (await api("GET", "/v1/lists"))["lists"][0]["changes"]] == ["coins", "shells"]
    await api.plant.recorded()
    assert api.plant.journal.records[-1]["kind"] == "list.backtest"
    drafts.told = {"problems": ["is no word"]}
    answer = await api("POST", "/v1/lists/spam:backtest", json=body)
    assert (api.status, answer["reason"]) == (400, "control.line_invalid")


async def test_it_is_put_in_force_as_one_act_and_undone_as_one(api: Any) -> None:
    reloads = api.plant.supervisor.reloads
    body = {"add": ["pearls", "coins"], "leave_out": ["buy"], "reason": "a campaign"}
    done = await api("POST", "/v1/lists/spam:apply", json=body)
    assert done["result"] == {"list": "spam", "changed": 3}
    assert api.plant.supervisor.reloads == reloads + 1
    changes = {one["line"]: one["effect"] for one in (await api("GET", "/v1/lists"))["lists"][0]["changes"]}
    assert changes == {"pearls": "added", "coins": "added", "buy": "removed"}
    answer = await api("POST", "/v1/lists/spam:apply", json=body)
    assert (api.status, answer["reason"]) == (409, "control.word_exists")
    await api("POST", f"/v1/acts/{done['act']}:undo", json={"reason": "hits too much"})
    assert (await api("GET", "/v1/lists"))["lists"][0]["changes"] == []


async def test_what_is_no_line_is_refused_and_nothing_is_done(api: Any) -> None:
    for body, status in (
        ({"add": ["what?"]}, 400),
        ({"add": ["a"], "leave_out": ["a"]}, 400),
        ({}, 400),
        ({"add": ["pearls"], "leave_out": ["never there"]}, 404),
    ):
        await api("POST", "/v1/lists/spam:apply", json={**body, "reason": "r"})
        assert api.status == status, body
    assert (await api("GET", "/v1/lists"))["lists"][0]["changes"] == []
    await api("POST", "/v1/lists/none:apply", json={"add": ["a"], "reason": "r"})
    assert api.status == 404
