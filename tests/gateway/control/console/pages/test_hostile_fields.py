"""Whatever somebody writes into any field of any form of any page: it is refused or kept, and never becomes markup.

The forms are those that the pages have: a page that gets a field more has it tried here. What is sent goes past the
bounds that a browser would hold (``maxlength``, ``type=number``, the choices of a list).
"""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any, NamedTuple

import pytest
from yarl import URL

from gateway.config.sections.review.appeal_terms import AppealTerms
from gateway.control.access.roles import Role
from gateway.control.appeals.filing import AppealDesk, AppealGiven
from gateway.control.console.console_pages import PAGES
from tests.gateway.control.appeals.conftest import CODE, Messages
from tests.gateway.control.console.conftest import Browser
from tests.gateway.control.console.pages.conftest import ConsoleDesk, Index

HOSTILE = {
    "markup": "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u202e\u2066{{ 7654 * 3 }}",
    "marks": "e" + "\u0301" * 4096,
    "odd": "a\0b\r\nSet-Cookie: x=y/../../etc/passwd%00\u200b",
    "number": "99999999999999999999999999",
}
KEPT_AWAY = ("/password", "/logout", "/logout-everywhere", "/choose")
"""Would end the session, or are tried by themselves (``test_console_site``)."""
TERMS = AppealTerms.model_validate({"file_within": "20000d"})


class Form(NamedTuple):
    method: str
    action: str
    fields: dict[str, str]


class Forms(HTMLParser):
    """The forms of a page, with the values that they have, and all tags, so that a strange one is seen."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.strange: list[str] = []
        self._select = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if any(name.startswith("on") or "javascript:" in value.lower() for name, value in told.items()):
            self.strange.append(f"<{tag} {told}>")
        if (tag == "script" and "src" not in told) or (tag == "img" and told.get("src") == "x"):
            self.strange.append(f"<{tag} {told}>")
        if tag == "form" and "action" in told:
            self.forms.append(Form(told.get("method", "get"), told["action"], {}))
        elif self.forms and tag in ("input", "textarea", "button") and told.get("name"):
            self.forms[-1].fields.setdefault(told["name"], told.get("value", ""))
        elif self.forms and tag == "select":
            self._select = told.get("name", "")
            self.forms[-1].fields.setdefault(self._select, "")
        elif self.forms and tag == "option" and self._select and not self.forms[-1].fields[self._select]:
            self.forms[-1].fields[self._select] = told.get("value", "")


@pytest.fixture
async def boss(desk: ConsoleDesk, index: Index) -> Browser:
    """Somebody of all roles, before whom every kind of thing lies."""
    plant, house = desk.plant, desk.house
    appeals = AppealDesk(plant.ledger, Messages(), lambda: TERMS, plant.journal.append)
    object.__setattr__(plant.services, "features", (*plant.services.features, appeals))
    await appeals.file(AppealGiven(CODE, "a question"))
    await _drawn(desk)
    for at in range(3):
        desk.case(f"m{at}", masked=("buy ****",))
    browser = await house.logged_in("boss", *Role)
    await browser.post("/review/next")
    case = browser.path
    await browser.post("/appeals/1/claim")
    await house.api("POST", "/v1/blocks", json={"scope": "sender", "value": "u1", "ground": "g", "reason": "r"})
    await house.api("POST", "/v1/switches", json={"scope": "room", "value": "r9", "ground": "g", "reason": "r"})
    incident = {"scope": "rooms", "places": ["r5"], "freeze": True, "seconds": 600, "ground": "g", "reason": "r"}
    await house.api("POST", "/v1/incidents", json=incident)
    assert house.api.status < 300
    plant.messages.add("m7")
    await house.api("POST", "/v1/takedowns", json={"id": "m7", "reason": "r"})
    assert re.fullmatch(r"/review/\d+", case)
    return browser


async def _drawn(desk: ConsoleDesk) -> None:
    """A decision that two people see differently, and one that waits to be made once more."""
    settings = desk.desk.settings
    desk.desk.settings = replace(settings, undo=0.0, sample=0.2)
    desk.plant.review._chance = lambda: 0.0
    ann, bob = [await desk.house.logged_in(name, Role.REVIEWER) for name in ("ann", "bob")]
    for at in range(2):
        number = desk.case(f"s{at}")
        await ann.post("/review/next")
        await ann.post(f"/review/{number}/refuse", {"digit": "1", "seen": "1"})
        assert (await desk.row(number))["state"] == "done"
    await bob.get("/sample")
    await bob.post("/sample/take")
    await bob.post("/sample/1/decide", {"digit": "2"})
    await bob.post("/sample/2/release")
    desk.desk.settings = settings


def shape(form: Form) -> tuple[str, ...]:
    """One of each kind is enough: a table has a form in each of its rows."""
    names = (re.sub(r"\d+", "N", name) for name in form.fields)
    return form.method, re.sub(r"/\d+|(?<=/people/)[^/]+", "/N", form.action), *dict.fromkeys(names)


async def all_forms(browser: Browser) -> list[Form]:
    """Of every page that can be looked at, and of those that a form leads to."""
    found: dict[tuple[str, ...], Form] = {}
    pages = [re.sub(r"{\w+}", "1", page.path) for page in PAGES if page.method == "GET" and not page.quiet]
    for path in (*pages, "/rooms?room=r9", "/rooms?room=r1"):
        for form in Forms(await browser.get(path)).forms:
            found[shape(form)] = form
    sent: dict[str, dict[str, str]] = {
        "/sample/take": {},
        "/bulk": {"route": "comments"},
        "/blocks": {"reason": "r"},
        "/acts": {"reason": "r"},
        "/senders": {"sender": "u", "reason": "r"},
        "/incidents/preview": {
            "scope": "rooms",
            "places": "r6",
            "freeze": "1",
            "minutes": "15",
            "ground": "g",
            "reason": "r",
        },
    }
    for path, asked in sent.items():
        await browser.get("/own")
        for form in Forms(await browser.post(path, asked)).forms:
            found[shape(form)] = form
    return list(found.values())


@pytest.mark.parametrize("kind", HOSTILE)
async def test_every_field_of_every_form(boss: Browser, kind: str) -> None:
    evil = HOSTILE[kind]
    tried = 0
    forms = await all_forms(boss)
    mark = Forms(await boss.get("/own")).forms[0].fields["csrf"]
    for form in forms:
        path = form.action.removeprefix("/console")
        if path.startswith(KEPT_AWAY):
            continue
        for name in {re.sub(r"\d+", "N", name): name for name in form.fields}.values():
            if name == "csrf":
                continue
            sent = {**form.fields, "reason": "r", name: evil}
            sent.pop("csrf", None)
            text = await (boss.post(path, sent, csrf=mark) if form.method == "post" else boss.get(path, params=sent))
            tried += 1
            assert boss.status < 500, f"{path}: {name}: {boss.status}"
            assert Forms(text).strange == [], f"{path}: {name}"
            assert "Set-Cookie" not in boss.headers or "x=y" not in boss.headers["Set-Cookie"]
            assert "22962" not in text and len(text) < 400_000
    assert tried > 60


async def test_the_forms_are_all_of_the_table(boss: Browser) -> None:
    """Each page that a form sends to is reached by the forms that are tried, but for those named here."""
    actions = {form.action.removeprefix("/console") for form in await all_forms(boss) if form.method == "post"}
    patterns = {page.path: re.sub(r"{\w+}", "[^/]+", page.path) for page in PAGES if page.method == "POST"}
    reached = {path for path, pattern in patterns.items() if any(re.fullmatch(pattern, one) for one in actions)}
    missing = patterns.keys() - reached
    # sent by a script, by a page that has just decided, and where nothing is held yet or a message is published
    assert missing <= {
        "/review/{id}/sender", "/review/{id}/undo", "/list/undo", "/appeals/{id}/undo", "/messages/{id}/takedown",
        "/list/take", "/review/next", "/appeals/{id}/claim", "/incidents/{id}/release", "/incidents/{id}/expire",
    }, missing  # fmt: skip


async def test_a_form_has_no_end_and_no_other_shape(boss: Browser) -> None:
    mark = boss.csrf
    for body, kind, status in (
        ("x" * 200_000, "application/x-www-form-urlencoded", 413),
        ("&".join(f"a{at}=1" for at in range(500)), "application/x-www-form-urlencoded", 400),
        ('{"reason": "r"}', "application/json", 400),
        ("reason=r", "text/plain", 400),
        (b"reason=\xff\xfe", "application/x-www-form-urlencoded", 400),
    ):
        headers: dict[str, Any] = {"Content-Type": kind, "X-CSRF-Token": mark}
        async with boss.session.post(f"{boss.url}/console/own", data=body, headers=headers) as answer:
            assert answer.status == status, kind


ADDRESSES = ("abc", "%00", "a%0d%0aX-A:%20b", "..%2F..%2Fx", "%E2%80%AE", "%C2%B2", "%ED%A0%80", "9" * 30, "x" * 300)


@pytest.mark.parametrize("evil", ADDRESSES)
async def test_what_stands_in_an_address(boss: Browser, evil: str) -> None:
    """Every page whose address names something, by something that is no name."""
    mark = boss.csrf
    for page in PAGES:
        if "{" not in page.path:
            continue
        url = URL(boss.url + "/console" + re.sub(r"{\w+}", evil, page.path), encoded=True)
        how: dict[str, Any] = {"data": {"csrf": mark, "reason": "r"}} if page.method == "POST" else {}
        async with boss.session.request(page.method, url, allow_redirects=False, **how) as answer:
            assert answer.status < 500, (page.path, answer.status)
            assert "X-A" not in answer.headers
            assert answer.headers.get("Location", "/console/").startswith("/console/")


async def test_names_twice_and_numbers_that_are_none_in_an_address(boss: Browser) -> None:
    names = ("done", "why", "hours", "days", "before", "state", "room", "left", "worth", "seen", "saved", "next")
    for page in PAGES:
        if page.method != "GET":
            continue
        path = boss.url + "/console" + re.sub(r"{\w+}", "1", page.path)
        for evil in ("-1", "%EF%BC%94", "9" * 15, "a%00b", "%FF", "1e5"):
            query = "&".join(f"{name}={evil}&{name}=2" for name in names)
            async with boss.session.get(URL(f"{path}?{query}", encoded=True), allow_redirects=False) as answer:
                assert answer.status < 500, (page.path, evil, answer.status)
