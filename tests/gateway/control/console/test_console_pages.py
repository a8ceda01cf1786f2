"""Every page for every role, by the table; and what every page has in common."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from gateway.control.access.roles import Principal, Role, refused
from gateway.control.console.console_pages import PAGES
from gateway.control.console.shell import console_words
from gateway.control.features import ENDPOINTS
from tests.gateway.control.console.conftest import House

FRAME = set(re.findall(r"w\.(\w+)", Path("gateway/control/console/templates/frame.html").read_text(encoding="utf-8")))
"""Words that every page needs as they are."""
BY_NAME = {f"{one.method} {one.path}": one for one in ENDPOINTS}


def test_each_page_has_the_permission_of_an_endpoint() -> None:
    for page in PAGES:
        assert page.needs in BY_NAME, page.path
        assert not BY_NAME[page.needs].access.open
    assert len({(page.method, page.path) for page in PAGES}) == len(PAGES)


@pytest.mark.parametrize("name", sorted({page.name for page in PAGES} | {"shell", "login", "refused"}))
def test_both_languages_have_the_same_words(name: str) -> None:
    for word, told in console_words.table(name).items():
        assert set(told) == {"en", "zh"}, word
        assert all(value.strip() for value in told.values()), word
        assert word.isidentifier()
        assert name == "shell" or word not in FRAME & console_words.table("shell").keys(), word
        fields = [set(re.findall(r"{(\w*)}", value)) for value in told.values()]
        assert fields[0] == fields[1], word


def test_refusals_are_told_in_chinese() -> None:
    for reason, told in console_words.table("refusals").items():
        assert re.fullmatch(r"[a-z]+\.[a-z_]+", reason)
        assert re.search("[\u4e00-\u9fff]", told["zh"])


@pytest.mark.parametrize("role", Role)
async def test_pages_by_role(house: House, role: Role) -> None:
    browser = await house.logged_in("li", role)
    mark = browser.csrf
    for page in PAGES:
        if page.name == "logout" or "everywhere" in page.path:
            continue
        path = re.sub(r"{\w+}", "1", page.path)
        if page.method == "GET":
            await browser.get(path, allow_redirects=False)
        else:
            await browser.post(path, csrf=mark, allow_redirects=False)
        may = refused(BY_NAME[page.needs].access, Principal("li", frozenset({role}))) is None
        told = "control.role_refused" in browser.text
        assert told is not may, f"{page.method} {page.path}: {browser.status}"
        assert told is (browser.status == 403 and "role_refused" in browser.text)
        assert browser.status < 500, f"{page.path}: {browser.status}"


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_every_page_is_well_formed_and_says_what_it_is(house: House, language: str) -> None:
    browser = await house.logged_in("boss", Role.ADMIN, Role.AUDITOR)
    browser.session.headers["Accept-Language"] = language
    for page in PAGES:
        if page.method != "GET" or "{" in page.path or page.quiet:
            continue
        text = await browser.get(page.path)
        assert browser.status == 200, page.path
        assert f'<html lang="{console_words.TAGS[language]}"' in text
        assert text.count("<h1") == text.count("<main") == text.count("</html>") == 1, page.path
        assert 'class="skip"' in text
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", text), page.path
        assert not re.search(r'(?:src|href|action)="(?:https?:)?//', text), page.path
        assert "Content-Security-Policy" in browser.headers
        for name, value in (
            ("X-Content-Type-Options", "nosniff"),
            ("Cache-Control", "no-store"),
            ("Referrer-Policy", "same-origin"),
            ("X-Frame-Options", "DENY"),
        ):
            assert browser.headers[name] == value
        policy = browser.headers["Content-Security-Policy"]
        assert "unsafe" not in policy and "frame-ancestors 'none'" in policy and "default-src 'none'" in policy
        assert "aiohttp" not in browser.headers.get("Server", "")


@pytest.mark.parametrize(
    ("roles", "path"),
    [
        ((Role.LEAD,), "/queues"),
        ((Role.LEAD, Role.REVIEWER), "/queues"),
        ((Role.ADMIN,), "/node"),
    ],
)
async def test_where_the_day_begins(house: House, roles: tuple[Role, ...], path: str) -> None:
    browser = await house.logged_in("li", *roles)
    assert browser.path == path


async def test_what_is_no_page_is_told_in_the_readers_language(house: House) -> None:
    browser = await house.logged_in("li", Role.VIEWER)
    await browser.get("/nowhere", headers={"Accept-Language": "zh-CN"})
    assert browser.status == 404
    assert "没有这个页面" in browser.text


async def test_strangers_are_sent_to_the_log_in_and_back(house: House) -> None:
    await house.add("li", Role.LEAD)
    browser = house.browser()
    await browser.get("/queues?x=1")
    assert (browser.path, browser.status) == ("/login", 200)
    assert 'value="/console/queues?x=1"' in browser.text
    back: dict[str, Any] = {"name": "li", "password": "correct horse battery", "next": "/console/node"}
    await browser.post("/login", back)
    assert browser.path == "/node"
