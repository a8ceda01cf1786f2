"""Appeals at the console: claimed, read, decided, taken back."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from gateway.config.sections.review.appeal_terms import AppealTerms
from gateway.control.access.roles import Role
from gateway.control.appeals.filing import AppealDesk, AppealGiven
from tests.gateway.control.appeals.conftest import CODE, Messages
from tests.gateway.control.console.pages.conftest import ConsoleDesk

TERMS = AppealTerms.model_validate({"file_within": "20000d"})


@pytest.fixture
async def filed(desk: ConsoleDesk) -> ConsoleDesk:
    """Appeal 1 waits."""
    plant = desk.plant
    appeals = AppealDesk(plant.ledger, Messages(), lambda: TERMS, plant.journal.append)
    object.__setattr__(plant.services, "features", (*plant.services.features, appeals))
    await appeals.file(AppealGiven(CODE, "It was <b>a question</b>"))
    return desk


async def test_claimed_read_decided_and_taken_back(filed: ConsoleDesk) -> None:
    li = await filed.house.logged_in("li", Role.REVIEWER)
    await li.get("/appeals")
    assert "It was" not in li.text
    await li.post("/appeals/1/claim")
    assert li.path == "/appeals/1"
    assert "buy it" in li.text and "It was &lt;b&gt;a question" in li.text
    await li.post("/appeals/1/decide", {"outcome": "rejected", "seen": 1, "answer": "", "ground": ""})
    assert (li.path, "not what is needed" in li.text) == ("/appeals/1", True)
    await li.post("/appeals/1/decide", {"outcome": "upheld", "seen": 1, "answer": "You were right."})
    told = await filed.house.api("GET", "/v1/appeals/1", params={"reason": "r"})
    assert (told["outcome"], told["decided_by"]) == ("upheld", "li")
    assert 'action="/console/appeals/1/undo"' in li.text
    await li.post("/appeals/1/undo")
    told = await filed.house.api("GET", "/v1/appeals/1", params={"reason": "r"})
    assert (told["outcome"], told["claimed_by"]) == ("", "li")


async def test_a_grave_text_is_hidden_until_somebody_asks(filed: ConsoleDesk) -> None:
    filed.desk.settings = replace(filed.desk.settings, grave=frozenset({"spam"}))
    li = await filed.house.logged_in("li", Role.REVIEWER)
    await li.get("/appeals")
    await li.post("/appeals/1/claim")
    veiled = re.search(r'<details class="veil">.*?</details>', li.text, re.DOTALL)
    assert veiled is not None and "buy it" in veiled[0] and li.text.count("buy it") == 1


async def test_given_back_escalated_and_claimed_by_somebody_else(filed: ConsoleDesk) -> None:
    li = await filed.house.logged_in("li", Role.REVIEWER)
    await li.get("/appeals")
    await li.post("/appeals/1/claim")
    bo = await filed.house.logged_in("bo", Role.REVIEWER)
    await bo.get("/appeals")
    await bo.post("/appeals/1/claim")
    assert (bo.path, "Somebody else has claimed" in bo.text) == ("/appeals", True)
    await li.post("/appeals/1/skip")
    await bo.post("/appeals/1/claim")
    assert bo.path == "/appeals/1"
    await bo.post("/appeals/1/escalate", {"note": "is difficult"})
    await li.get("/appeals")
    await li.post("/appeals/1/claim")
    assert "waits for a lead" in li.text


async def test_auditors_see_that_they_wait(filed: ConsoleDesk) -> None:
    eve = await filed.house.logged_in("eve", Role.AUDITOR)
    await eve.get("/appeals")
    assert eve.status == 200 and "/appeals/1/claim" not in eve.text


async def test_a_link_to_an_appeal_stands_where_it_opens(filed: ConsoleDesk) -> None:
    linked = 'href="/console/appeals/1"'
    for name, role, opens in (("eve", Role.AUDITOR, False), ("lea", Role.LEAD, True)):
        who = await filed.house.logged_in(name, role)
        for page in ("/queues", "/handover"):
            await who.get(page)
            assert (who.status, linked in who.text) == (200, opens), (name, page)
        await who.get("/appeals/1")
        assert (who.status == 403) is not opens
