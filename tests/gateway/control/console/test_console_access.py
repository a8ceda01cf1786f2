"""Every page of the table, for nobody, for somebody who has to choose a password first, without its mark, and beyond
what a role may: what is answered, exactly, and that nothing was done."""

from __future__ import annotations

import re
from typing import Any

import pytest

from gateway.control.access.roles import Principal, Role, refused
from gateway.control.console.console_pages import PAGES
from gateway.control.console.shell.console_page import ConsolePage
from gateway.control.console.shell.console_site import OPEN_BEFORE_CHANGE
from gateway.control.features import ENDPOINTS
from tests.gateway.control.console.conftest import Browser, House

ACCESS = {f"{one.method} {one.path}": one.access for one in ENDPOINTS}


def address(page: ConsolePage) -> str:
    return re.sub(r"{\w+}", "1", page.path)


async def recorded(house: House) -> int:
    """Acts that the journal has by now."""
    await house.plant.recorded()
    return len(house.plant.journal.records)


async def asked(browser: Browser, page: ConsolePage, *, csrf: str = "", **more: Any) -> None:
    """This page, whatever is in its way."""
    if page.method == "GET":
        await browser.get(address(page), allow_redirects=False, **more)
    else:
        await browser.post(address(page), csrf=csrf, allow_redirects=False, **more)


async def test_nobody_is_sent_to_the_log_in(house: House) -> None:
    stranger = house.browser()
    before = await recorded(house)
    for page in PAGES:
        await asked(stranger, page)
        back = f"?next=%2Fconsole{address(page).replace('/', '%2F')}" if page.method == "GET" else ""
        assert (stranger.status, stranger.headers["Location"]) == (303, f"/console/login{back}"), page.path
        assert stranger.text == ""
        await asked(stranger, page, headers={"HX-Request": "true"})
        assert (stranger.status, stranger.headers["HX-Redirect"]) == (200, "/console/login"), page.path
        assert stranger.text == ""  # nothing that a script would put into a page
    assert await recorded(house) == before


async def test_a_given_password_leads_to_its_change_alone(house: House) -> None:
    await house.add("li", *Role, once=True)
    browser = house.browser()
    await browser.log_in("li")
    mark = browser.csrf
    for page in PAGES:
        if page.name in OPEN_BEFORE_CHANGE:
            continue
        await asked(browser, page, csrf=mark)
        assert (browser.status, browser.headers["Location"]) == (303, "/console/password"), page.path


async def test_every_form_without_its_mark_does_nothing(house: House) -> None:
    browser = await house.logged_in("li", *Role)
    other = await house.logged_in("bo", *Role)
    before = await recorded(house)
    for page in PAGES:
        if page.method == "GET":
            continue
        for mark in ("", "0" * 64, other.csrf):
            await asked(browser, page, csrf=mark)
            assert (browser.status, "console.forged" in browser.text) == (403, True), page.path
        for headers in ({"Origin": "https://elsewhere.example"}, {"Sec-Fetch-Site": "cross-site"}):
            await asked(browser, page, csrf=browser.csrf, headers=headers)
            assert (browser.status, "console.forged" in browser.text) == (403, True), page.path
    assert await recorded(house) == before


async def test_no_page_changes_anything_by_being_looked_at(house: House) -> None:
    """What reads personal data is an act that changes nothing, and takes a form."""
    browser = await house.logged_in("li", *Role)
    before = await house.api("GET", "/v1/acts", params={"reason": "r", "limit": 1})
    for page in PAGES:
        if page.method == "GET" and not page.quiet:
            await asked(browser, page)
    acts = await house.api("GET", "/v1/acts", params={"reason": "r", "limit": 200})
    since = [one for one in acts["acts"] if one["act"] > before["acts"][0]["act"]]
    assert [one for one in since if one["changes"]] == []


@pytest.mark.parametrize("role", Role)
async def test_what_a_role_may_not_is_refused_before_anything_is_read(house: House, role: Role) -> None:
    browser = await house.logged_in("li", role)
    mark = browser.csrf
    caller = Principal("li", frozenset({role}))
    before = await recorded(house)
    for page in PAGES:
        if refused(ACCESS[page.needs], caller) is None:
            continue
        await asked(browser, page, csrf=mark)
        assert (browser.status, "control.role_refused" in browser.text) == (403, True), page.path
        await asked(browser, page, csrf=mark, headers={"HX-Request": "true"})
        assert (browser.status, "<html" in browser.text) == (403, False), page.path
    assert await recorded(house) == before


@pytest.mark.parametrize("role", Role)
async def test_what_a_role_may_is_shown(house: House, role: Role) -> None:
    browser = await house.logged_in("li", role)
    caller = Principal("li", frozenset({role}))
    shown = 0
    for page in PAGES:
        whole = page.method == "GET" and "{" not in page.path and not page.quiet
        if whole and refused(ACCESS[page.needs], caller) is None:
            await asked(browser, page)
            assert browser.status == 200, page.path
            shown += 1
    assert shown >= 8
    offered = set(re.findall(r'<li><a href="/console(/\w+)"', await browser.get("/own")))
    assert offered == {page.path for page in PAGES if page.menu and refused(ACCESS[page.needs], caller) is None}
