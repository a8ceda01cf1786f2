"""A console that is left open: for a day, over a deploy, in two tabs, and after somebody went back."""

from __future__ import annotations

import re
from typing import Any

import pytest
from aiohttp import web

from gateway.control.access.roles import Role
from gateway.control.api.api import application
from gateway.control.console.console_pages import PAGES
from gateway.control.console.shell import console_assets
from gateway.control.console.shell.console_site import ConsoleSite
from gateway.control.features import ENDPOINTS
from tests.gateway.control.console.conftest import House
from tests.gateway.control.console.pages.conftest import ConsoleDesk

MINUTE = 60_000_000
WHOLE = [page.path for page in PAGES if page.method == "GET" and "{" not in page.path and not page.quiet]
SCRIPT = {"HX-Request": "true"}


async def test_for_a_day(desk: ConsoleDesk) -> None:
    """What the page asks by itself keeps nobody logged in, and its answer leads to the log-in."""
    number = desk.case("m1")
    house = desk.house
    li = await house.logged_in("li", Role.REVIEWER)
    await li.post("/review/next")
    mark, began = li.csrf, house.plant.session_clock()
    house.plant.session_clock = lambda: at
    for minutes in range(30):
        at = began + minutes * MINUTE
        await li.get(f"/review/{number}/now?seen=1", headers=SCRIPT)
        assert li.status == 204, minutes
    at = began + 24 * 60 * MINUTE
    await li.get(f"/review/{number}/now?seen=1", headers=SCRIPT)
    assert (li.status, li.headers["HX-Redirect"], li.text) == (200, "/console/login", "")
    await li.post(f"/review/{number}/approve", {"seen": 1}, csrf=mark)
    assert li.path == "/login"
    assert (await desk.row(number))["state"] != "decided"


async def test_a_deploy_beneath_it(desk: ConsoleDesk) -> None:
    """The next program serves the page that the one before has made: its form is taken, its scripts are not kept."""
    number = desk.case("m1")
    house = desk.house
    li = await house.logged_in("li", Role.REVIEWER)
    await li.post("/review/next")
    mark, cookies = li.csrf, li.session.cookie_jar
    pages = ConsoleSite(house.plant.services, PAGES).routes()
    runner = web.AppRunner(application(house.plant.services, house.plant.people, ENDPOINTS, version="1", pages=pages))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        after = house.browser()
        after.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        after.session._cookie_jar = cookies
        await after.post(f"/review/{number}/approve", {"seen": 1}, csrf=mark)
        assert (await desk.row(number))["state"] == "decided"
        await after.get(f"/static/console.js?v={'0' * 16}")  # of the page before
        assert (after.status, after.headers["Cache-Control"]) == (200, "no-cache")
        await after.get(f"/static/console.js?v={console_assets.assets()['console.js'].digest[:16]}")
        assert "immutable" in after.headers["Cache-Control"]
    finally:
        await runner.cleanup()


async def test_two_tabs(desk: ConsoleDesk) -> None:
    """The same case twice before one person: the second decision does nothing, and says why."""
    first, second = desk.case("m1"), desk.case("m2")
    li = await desk.house.logged_in("li", Role.REVIEWER)
    await li.post("/review/next")
    mark = li.csrf
    await li.post(f"/review/{first}/approve", {"seen": 1}, csrf=mark)
    assert li.path == f"/review/{second}"
    await li.post(f"/review/{first}/refuse", {"seen": 1, "digit": 1}, csrf=mark)
    assert li.path == f"/review/{first}"
    assert 'class="problem"' in li.text
    assert (await desk.row(first))["outcome"] == "approved"
    await li.post(f"/review/{first}/approve", {"seen": 1}, csrf=mark)  # pressed twice
    assert (await desk.row(first))["outcome"] == "approved"
    assert [one[0] for one in desk.desk.done] == []  # nothing has taken effect, and nothing did twice


async def test_a_page_of_lines_in_two_tabs(desk: ConsoleDesk) -> None:
    numbers = [desk.case(f"m{at}") for at in range(3)]
    li = await desk.house.logged_in("li", Role.REVIEWER)
    await li.get("/list")
    await li.post("/list/take")
    mark = li.csrf
    sent = [("case", f"{number}:1") for number in numbers]
    await li.post("/list/decide", sent, csrf=mark)
    await li.post("/list/decide", [*sent, (f"to-{numbers[0]}", "1")], csrf=mark)  # back, another mark, sent again
    assert "3 could not be decided" in li.text
    assert [(await desk.row(number))["outcome"] for number in numbers] == ["approved"] * 3


async def test_back_after_the_log_out_shows_nothing(house: House) -> None:
    """No page is kept by a browser: going back asks for it again."""
    li = await house.logged_in("li", Role.LEAD)
    await li.get("/queues")
    assert li.headers["Cache-Control"] == "no-store"
    mark = li.csrf
    await li.post("/logout", csrf=mark, allow_redirects=False)
    assert li.headers["Clear-Site-Data"] == '"cache"'
    await li.get("/queues")
    assert li.path == "/login"


@pytest.mark.parametrize("path", WHOLE)
async def test_nothing_that_is_personal_is_kept(house: House, path: str) -> None:
    boss = await house.logged_in("boss", *Role)
    await boss.get(path)
    assert boss.headers["Cache-Control"] == "no-store"
    assert "Cookie" in boss.headers["Vary"]


async def test_a_session_of_somebody_else_is_not_taken_over(house: House) -> None:
    """Fixation: what a stranger has put into the browser before is no session after the log-in."""
    await house.add("li", Role.LEAD)
    stranger = await house.logged_in("eve", Role.VIEWER)
    token = next(one.value for one in stranger.session.cookie_jar if one.key == "tidegate-console")
    browser = house.browser()
    browser.session.cookie_jar.update_cookies({"tidegate-console": token})
    await browser.log_in("li")
    mine: dict[str, Any] = {one.key: one.value for one in browser.session.cookie_jar}
    assert mine["tidegate-console"] != token
    assert re.search(r">li</a>", await browser.get("/own"))
    await stranger.get("/own")
    assert stranger.path == "/login"  # and that one has ended
