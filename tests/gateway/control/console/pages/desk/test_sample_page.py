"""A decision made once more at the console: what was decided is nowhere on the page; the lead sees both."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.control.access.roles import Role
from tests.gateway.control.console.pages.conftest import ConsoleDesk


@pytest.fixture
async def drawn(desk: ConsoleDesk) -> ConsoleDesk:
    """A case that ann refused, drawn to be decided twice."""
    desk.desk.settings = replace(desk.desk.settings, undo=0.0, sample=0.2)
    desk.plant.review._chance = lambda: 0.0
    number = desk.case("m1")
    ann = await desk.house.logged_in("ann", Role.REVIEWER)
    await ann.post("/review/next")
    await ann.post(f"/review/{number}/refuse", {"digit": "1", "seen": "1"})
    assert (await desk.row(number))["state"] == "done"
    return desk


async def test_decided_once_more_unseen(drawn: ConsoleDesk) -> None:
    bob = await drawn.house.logged_in("bob", Role.REVIEWER)
    await bob.get("/sample")
    await bob.post("/sample/take")
    assert "<mark>gold</mark>" in bob.text
    for secret in ("ann", "u-m1", "m1<"):
        assert secret not in bob.text
    assert 'name="digit" value="2"' in bob.text
    await bob.post("/sample/1/decide", {"digit": "2"})
    assert "Nothing waits that you had no part in." in bob.text
    assert "Noted." in bob.text


async def test_nothing_is_given_to_whoever_decided(drawn: ConsoleDesk) -> None:
    browser = drawn.house.browsers[0]
    await browser.get("/sample")
    await browser.post("/sample/take")
    assert "Nothing waits that you had no part in." in browser.text


async def test_one_that_is_given_back_waits_for_another(drawn: ConsoleDesk) -> None:
    for name in ("bob", "cem"):
        browser = await drawn.house.logged_in(name, Role.REVIEWER)
        await browser.get("/sample")
        await browser.post("/sample/take")
        assert "<mark>gold</mark>" in browser.text, name
        await browser.post("/sample/1/release")
        assert browser.path == "/sample"


@pytest.mark.parametrize("how", ["settle", "reopen"])
async def test_the_lead_sees_both_and_settles_or_reopens(drawn: ConsoleDesk, how: str) -> None:
    bob = await drawn.house.logged_in("bob", Role.REVIEWER)
    await bob.get("/sample")
    await bob.post("/sample/take")
    await bob.post("/sample/1/decide", {"outcome": "approved"})
    lea = await drawn.house.logged_in("lea", Role.LEAD)
    await lea.get("/samples")
    assert "agreement 3.1" in lea.text and "bob" in lea.text and "ann" in lea.text
    await lea.post("/samples/1", {"how": how, "case": "1", "reason": "looked at it"})
    assert "Nobody disagrees." in lea.text
    assert lea.path == "/samples"


async def test_an_auditor_reads_and_does_nothing(drawn: ConsoleDesk) -> None:
    aud = await drawn.house.logged_in("aud", Role.AUDITOR)
    await aud.get("/samples")
    assert aud.status == 200
    assert 'value="settle"' not in aud.text
