"""Appeals over the API: who may read and decide them, and what happens to two at once."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.config.sections.review.appeal_terms import AppealTerms
from gateway.control.access.roles import Role
from gateway.control.appeals.filing import AppealDesk, AppealGiven
from tests.gateway.control.api.test_access import person
from tests.gateway.control.appeals.conftest import CODE, Messages


@pytest.fixture
async def filed(api: Any, messages: Messages) -> AppealDesk:
    """Appeal 1, and reviewers ann and bob, of whom ``tokens`` are."""
    plant = api.plant
    terms = AppealTerms.model_validate({"file_within": "20000d"})
    desk = AppealDesk(plant.ledger, messages, lambda: terms, plant.journal.append)
    object.__setattr__(plant.services, "features", (*plant.services.features, desk))
    await desk.file(AppealGiven(CODE, "It was a question"))
    return desk


async def test_listed_without_what_is_personal(api: Any, filed: AppealDesk) -> None:
    (one,) = (await api("GET", "/v1/appeals"))["appeals"]
    assert (one["id"], one["state"], one["reason"]) == (1, "waiting", "keyword.match")
    assert not {"sender", "statement", "texts", "code"} & one.keys()
    assert (await api("GET", "/v1/appeals", params={"state": "overdue"}))["appeals"] == []
    assert (await api("GET", "/v1/appeals", params={"after": "1"}))["appeals"] == []
    assert (await api("GET", "/v1/appeals", params={"mine": "true"}))["appeals"] == []


async def test_read_with_a_reason_or_by_whoever_claimed_it(api: Any, filed: AppealDesk) -> None:
    assert (await api("GET", "/v1/appeals/1"))["reason"] == "control.reason_missing"
    told = await api("GET", "/v1/appeals/1", params={"reason": "looking"})
    assert (told["statement"], told["texts"], told["proved"]) == ("It was a question", ["buy it"], True)
    await api("POST", "/v1/appeals/1:claim")
    assert api.status in (200, 202)
    assert (await api("GET", "/v1/appeals/1"))["claimed_by"] == "admin"
    assert len((await api("GET", "/v1/appeals", params={"mine": "true"}))["appeals"]) == 1
    assert (await api("GET", "/v1/appeals/7", params={"reason": "r"}))["reason"] == "control.appeal_unknown"


async def test_two_people_on_one_appeal(api: Any, filed: AppealDesk) -> None:
    ann, bob = (person(api, name, Role.REVIEWER) for name in ("ann", "bob"))
    await api("POST", "/v1/appeals/1:claim", ann)
    second = await api("POST", "/v1/appeals/1:claim", bob)
    assert (api.status, second["reason"]) == (409, "review.claimed")
    other = await api("POST", "/v1/appeals/1:decide", bob, json={"outcome": "upheld"})
    assert (api.status, other["reason"]) == (409, "review.claimed")
    unread = await api("POST", "/v1/appeals/1:decide", ann, json={"outcome": "upheld"})
    assert (api.status, unread["reason"]) == (409, "review.changed")
    await api("GET", "/v1/appeals/1", ann)
    done = await api("POST", "/v1/appeals/1:decide", ann, json={"outcome": "upheld", "answer": "You were right."})
    assert (api.status, done["result"]["outcome"], done["result"]["decided_by"]) == (200, "upheld", "ann")
    again = await api("POST", "/v1/appeals/1:decide", bob, json={"outcome": "upheld"})
    assert (api.status, again["reason"]) == (409, "review.decided")


async def test_a_decision_is_taken_back_while_it_can_be(api: Any, filed: AppealDesk) -> None:
    await api("POST", "/v1/appeals/1:claim")
    await api("GET", "/v1/appeals/1")
    await api("POST", "/v1/appeals/1:decide", json={"outcome": "rejected", "ground": "g", "answer": "No."})
    told = await api("POST", "/v1/appeals/1:undo")
    assert (told["result"]["claimed_by"], told["result"]["outcome"]) == ("admin", "")


async def test_given_back_and_escalated(api: Any, filed: AppealDesk) -> None:
    ann = person(api, "ann", Role.REVIEWER)
    await api("POST", "/v1/appeals/1:claim", ann)
    told = await api("POST", "/v1/appeals/1:release", ann, json={"note": "I know the sender"})
    assert told["result"]["claimed_by"] == ""
    await api("POST", "/v1/appeals/1:claim", ann)
    await api("POST", "/v1/appeals/1:escalate", ann, json={})
    refused = await api("POST", "/v1/appeals/1:claim", ann)
    assert (api.status, refused["reason"]) == (403, "review.lead_only")
    await api("POST", "/v1/appeals/1:claim")  # admin leads too
    assert api.status in (200, 202)


@pytest.mark.parametrize(
    "body", [{}, {"outcome": "approved"}, {"outcome": "rejected"}, {"outcome": "rejected", "ground": "g"},
             {"outcome": "rejected", "answer": "a"}, {"outcome": "upheld", "answer": "a\x00"}],
)  # fmt: skip
async def test_a_rejection_without_reasons_is_none(api: Any, filed: AppealDesk, body: dict[str, str]) -> None:
    await api("POST", "/v1/appeals/1:decide", json=body)
    assert api.status == 400


async def test_an_explained_one_has_nothing_to_decide(api: Any, messages: Messages, filed: AppealDesk) -> None:
    (told,) = messages.by_code[CODE]
    finding = {**told.findings[0], "check": "limit"}
    messages.by_code["2222222222"] = [told._replace(id="m2", findings=(finding,))]
    await filed.file(AppealGiven("2222222222"))
    refused = await api("POST", "/v1/appeals/2:claim")
    assert (api.status, refused["reason"]) == (409, "appeal.decided")
