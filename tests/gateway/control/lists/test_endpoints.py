"""Word lists over the API."""

from __future__ import annotations

from typing import Any

from gateway.control.cases import cases
from gateway.control.lists.compiled_lists import CompiledLists


async def test_words_are_added_and_removed_and_reload(api: Any) -> None:
    lists = api.plant.services.of(CompiledLists)
    done = await api("POST", "/v1/lists/spam/words", json={"line": "free iphones", "reason": "wave"})
    assert (api.status, done["reload"]["ok"], api.plant.supervisor.reloads) == (200, True, 1)
    listed = await api("GET", "/v1/lists")
    assert listed["lists"][0]["changes"] == [{"list": "spam", "line": "free iphones", "effect": "added"}]
    await api("POST", "/v1/lists/spam/words", json={"line": "free iphones", "reason": "wave"})
    assert api.status == 409
    answer = await api("POST", "/v1/lists/spam/words", json={"line": "what?", "reason": "wave"})
    assert (api.status, answer["reason"]) == (400, "control.line_invalid")
    await api("DELETE", "/v1/lists/spam/words", params={"line": "free iphones", "reason": "over"})
    assert (await api("GET", "/v1/lists"))["lists"][0]["changes"] == []
    await api("DELETE", "/v1/lists/spam/words", params={"line": "buy", "reason": "too broad"})
    assert (await api("GET", "/v1/lists"))["lists"][0]["changes"][0]["effect"] == "removed"
    answer = await api("DELETE", "/v1/lists/spam/words", params={"line": "nope", "reason": "typo"})
    assert (api.status, answer["reason"]) == (404, "control.line_unknown")
    await api("POST", "/v1/lists/none/words", json={"line": "x", "reason": "r"})
    assert api.status == 404
    api.plant.supervisor.problems = ("lists/spam.txt:3: broken",)
    failed = await api("POST", "/v1/lists/spam/words", json={"line": "more", "reason": "wave"})
    assert (api.status, failed["in_force"]) == (202, False)
    assert failed["reload"]["problems"] == ["lists/spam.txt:3: broken"]
    assert lists.all()


async def test_trying_a_text_records_nothing(api: Any) -> None:
    found = await api("POST", "/v1/lists/spam:try", json={"text": "please buy"})
    assert found["hits"][0]["spans"] == [[7, 10]]
    acts = await api("GET", "/v1/acts", params={"reason": "look"})
    assert [act["kind"] for act in acts["acts"]] == ["act.list", "person.add"]
    await api("POST", "/v1/lists/none:try", json={"text": "x"})
    assert api.status == 404


async def test_a_reload_is_told_which_lists_may_shrink(api: Any) -> None:
    await api("POST", "/v1/reload", json={"reason": "the list was cleaned up", "may_shrink": ["spam"]})
    assert api.plant.supervisor.may_shrink == ("spam",)
    await api("POST", "/v1/reload", json={"reason": "an ordinary one"})
    assert api.plant.supervisor.may_shrink == ()


async def test_reload_answers_with_the_problems(api: Any) -> None:
    done = await api("POST", "/v1/reload", json={"reason": "new configuration"})
    assert (api.status, done["result"]["ok"]) == (200, True)
    api.plant.supervisor.problems = ("tidegate.toml: x",)
    done = await api("POST", "/v1/reload", json={"reason": "new configuration"})
    assert (api.status, done["result"]["problems"]) == (202, ["tidegate.toml: x"])


async def test_precision_by_list_and_by_word(api: Any) -> None:
    def work(session: Any) -> None:
        for number, (outcome, words) in enumerate((("refused", (7,)), ("approved", (7, 8)))):
            case = cases.open_case(
                session, f"m{number}", cases.Cause.HOLD, now=1, route="comments", room="r", sender="u", due_at=1,
                hits=[cases.ListWord("spam", word) for word in words],
            )  # fmt: skip
            case.state, case.outcome = "done", outcome

    api.plant.database.now(work)
    told = await api("GET", "/v1/precision", params={"list": "spam"})
    assert told["complete"]
    (whole,) = told["lists"]
    assert (whole["list"], whole["hits"], whole["decided"], whole["upheld"], whole["share"]) == ("spam", 2, 2, 1, 0.5)
    assert [(one["word_id"], one["word"], one["hits"], one["share"]) for one in told["words"]] == [
        (7, "buy", 2, 0.5), (8, None, 1, 0.0),
    ]  # fmt: skip
    assert (await api("GET", "/v1/precision"))["words"] == []
