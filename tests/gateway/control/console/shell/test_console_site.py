"""The way in: sessions, forged forms, log-in and its end, over a socket."""

from __future__ import annotations

import re

import pytest

from gateway.control.access.roles import Role
from gateway.control.console.sessions.login_pace import PaceSettings
from gateway.control.console.shell.console_site import within
from gateway.control.people import people
from tests.gateway.control.console.conftest import PASSWORD, House

COOKIE = "tidegate-console"


async def test_a_cookie_that_no_script_reads(house: House) -> None:
    await house.add("li", Role.LEAD)
    browser = house.browser()
    await browser.post("/login", {"name": "li", "password": PASSWORD}, allow_redirects=False)
    told = browser.headers["Set-Cookie"]
    assert re.match(rf"{COOKIE}=[A-Za-z0-9_-]{{43}};", told)
    assert "HttpOnly" in told and "SameSite=Strict" in told and "Path=/" in told
    assert "Domain" not in told and "Secure" not in told  # on loopback without TLS
    assert browser.status == 303


async def test_log_in_says_nothing_of_who_is_here(house: House) -> None:
    await house.add("li", Role.LEAD)
    seen = []
    for name, password in (("li", "wrong wrong wrong"), ("nobody", "wrong wrong wrong"), ("nobody", PASSWORD)):
        browser = house.browser()
        text = await browser.log_in(name, password)
        seen.append((browser.status, text.replace(f'value="{name}"', ""), sorted(browser.headers)))
    assert seen[0] == seen[1] == seen[2]
    assert seen[0][0] == 403


async def test_many_wrong_passwords_make_one_wait(house: House) -> None:
    await house.add("li", Role.LEAD)
    house.plant.pace_settings = PaceSettings(attempts=3, wait_at_most=60)
    told: dict[str, list[int]] = {}
    for name in ("li", "nobody"):
        for _ in range(4):
            browser = house.browser()
            await browser.log_in(name, "wrong wrong wrong")
            told.setdefault(name, []).append(browser.status)
            waits = browser.headers.get("Retry-After")
        assert waits == "1"
        await browser.log_in(name)  # the right one is not looked at meanwhile
        assert browser.status == 429
    assert told["li"] == told["nobody"] == [403, 403, 403, 429]


async def test_a_session_is_new_at_each_log_in_and_the_old_one_is_gone(house: House) -> None:
    browser = await house.logged_in("li", Role.LEAD)
    jar = {cookie.key: cookie.value for cookie in browser.session.cookie_jar}
    await browser.log_in("li")
    again = {cookie.key: cookie.value for cookie in browser.session.cookie_jar}
    assert jar[COOKIE] != again[COOKIE]
    other = house.browser()
    await other.get("/queues", headers={"Cookie": f"{COOKIE}={jar[COOKIE]}"})
    assert other.path == "/login"
    chosen = house.browser()  # one that somebody else has put there opens nothing, and is not taken over
    await chosen.log_in("li", headers={"Cookie": f"{COOKIE}=chosen-by-a-stranger"}, allow_redirects=False)
    assert "chosen-by-a-stranger" not in chosen.headers["Set-Cookie"]


async def test_forged_sessions_open_nothing(house: House) -> None:
    await house.logged_in("li", Role.LEAD)
    for value in ("", "x", "A" * 43, "../..", "é", "0" * 4000):
        browser = house.browser()
        await browser.get("/queues", headers={"Cookie": f"{COOKIE}={value}"})
        assert browser.path == "/login", value


@pytest.mark.parametrize("csrf", ["", "0" * 64, "x", "é"])
async def test_forged_forms_do_nothing(house: House, csrf: str) -> None:
    browser = await house.logged_in("li", Role.LEAD)
    await browser.post("/own", {"language": "zh", "theme": ""}, csrf=csrf)
    assert (browser.status, "console.forged" in browser.text) == (403, True)


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
async def test_what_another_site_sends_does_nothing(house: House, headers: dict[str, str]) -> None:
    browser = await house.logged_in("li", Role.LEAD)
    await browser.post("/own", {"language": "zh"}, headers=headers)
    assert (browser.status, "console.forged" in browser.text) == (403, True)
    stranger = house.browser()
    await stranger.log_in("li", headers=headers)
    assert (stranger.status, "console.forged" in stranger.text) == (403, True)


async def test_a_mark_is_of_one_session(house: House) -> None:
    one = await house.logged_in("li", Role.LEAD)
    other = await house.logged_in("bo", Role.LEAD)
    await other.post("/own", {"language": "zh"}, csrf=one.csrf)
    assert other.status == 403
    await one.post("/own", {"language": "zh", "theme": ""})
    assert one.status == 200 and "已保存" in one.text


async def test_logged_out_is_logged_out(house: House) -> None:
    browser = await house.logged_in("li", Role.LEAD)
    token = next(cookie.value for cookie in browser.session.cookie_jar if cookie.key == COOKIE)
    await browser.post("/logout")
    assert browser.path == "/login"
    await browser.get("/queues", headers={"Cookie": f"{COOKIE}={token}"})
    assert browser.path == "/login"


async def test_everywhere(house: House) -> None:
    one = await house.logged_in("li", Role.LEAD)
    other = house.browser()
    await other.log_in("li")
    await other.get("/own")
    await other.post("/logout-everywhere")
    await one.get("/queues")
    assert one.path == "/login"


async def test_another_password_and_a_person_who_goes_end_sessions_at_once(house: House) -> None:
    one = await house.logged_in("li", Role.LEAD)
    given = await house.api("PUT", "/v1/people/li/password", json={"reason": "forgotten"})
    await one.get("/queues")
    assert one.path == "/login"
    await one.log_in("li", given["result"]["password"])
    assert one.path == "/password"
    await house.api("DELETE", "/v1/people/li", params={"reason": "left"})
    await one.get("/password")
    assert one.path == "/login"
    await house.api("POST", "/v1/people", json={"name": "li", "roles": ["viewer"], "reason": "a namesake"})
    await one.log_in("li", given["result"]["password"])
    assert one.status == 403


async def test_roles_are_those_of_the_moment(house: House) -> None:
    browser = await house.logged_in("li", Role.LEAD)
    await house.api("PUT", "/v1/people/li/roles", json={"roles": ["list-editor"], "reason": "other work"})
    await browser.post("/own", {"language": "en", "theme": "dark"})
    assert browser.status == 200
    await browser.get("/node")
    assert browser.status == 200


async def test_a_given_password_opens_nothing_but_its_change(house: House) -> None:
    await house.add("li", Role.LEAD, once=True)
    browser = house.browser()
    await browser.log_in("li")
    assert browser.path == "/password"
    for path in ("/queues", "/own", "/"):
        await browser.get(path)
        assert browser.path == "/password", path
    for old, new, again, why in (
        ("wrong wrong wrong", "another horse battery", "another horse battery", 403),
        (PASSWORD, "short", "short", 400),
        (PASSWORD, "another horse battery", "another horse batterY", 400),
        (PASSWORD, PASSWORD, PASSWORD, 400),
        (PASSWORD, "li-" * 8, "li-" * 8, 400),
    ):
        await browser.post("/password", {"old": old, "password": new, "again": again})
        assert browser.status == why, new
    await browser.post(
        "/password", {"old": PASSWORD, "password": "另一匹马 电池 订书钉 正确", "again": "另一匹马 电池 订书钉 正确"}
    )
    assert browser.path == "/queues"
    other = house.browser()
    await other.log_in("li")
    assert other.status == 403


async def test_sessions_end_by_themselves(house: House) -> None:
    base = house.plant.session_clock()
    browser = await house.logged_in("li", Role.LEAD)
    clock = {"at": base}
    house.plant.session_clock = lambda: clock["at"] + 1_000_000
    for minutes in range(0, 12 * 60 - 20, 20):  # somebody who works is not sent away
        clock["at"] = base + minutes * 60_000_000
        await browser.get("/queues")
        assert browser.path == "/queues", minutes
    clock["at"] = base + 12 * 3600_000_000
    await browser.get("/queues")
    assert browser.path == "/login"  # all the same, after twelve hours
    clock["at"] = base + 24 * 3600_000_000
    await browser.log_in("li")
    clock["at"] += 31 * 60_000_000
    await browser.get("/queues")
    assert browser.path == "/login"  # left alone for half an hour


async def test_acts_carry_the_name_of_who_is_logged_in(house: House) -> None:
    browser = await house.logged_in("li", Role.LEAD)
    await browser.post("/own", {"language": "en", "theme": "dark"})
    act = next(one for one in (await house.plant.recorded()) if one["kind"] == "console.choose")
    assert (act["person"], act.get("token")) == ("li", None)


async def test_nothing_of_a_session_or_password_is_kept_that_opens_it(house: House) -> None:
    browser = await house.logged_in("li", Role.LEAD)
    token = next(cookie.value for cookie in browser.session.cookie_jar if cookie.key == COOKIE)
    kept = str(await house.plant.recorded())
    dump = await house.plant.database.read(
        lambda session: str(
            [
                list(row)
                for table in ("console_sessions", "passwords", "acts")
                for row in session.connection().exec_driver_sql(f"SELECT * FROM {table}")
            ]
        )
    )
    for secret in (token, PASSWORD):
        assert secret not in kept and secret not in dump
    assert people.hashed(token) in dump and "$argon2id$" in dump


@pytest.mark.parametrize(
    ("path", "fits"),
    [
        ("/console/queues?x=1", True),
        ("//evil.example/console/", False),
        ("/console//evil", False),
        ("/console/\\evil", False),
        ("https://evil.example/console/", False),
        ("/v1/me", False),
        ("/console/login?next=/console/login", False),
        ("/console/" + "x" * 600, False),
    ],
)
def test_the_way_back_leads_into_the_console(path: str, fits: bool) -> None:
    assert within(path) == (path if fits else "")


EVIL = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "\u202e\u2066abc",
    "e" + "\u0301" * 4096,
    "\0",
    "'",
)


@pytest.mark.parametrize("evil", EVIL)
async def test_what_people_write_is_never_markup(house: House, evil: str) -> None:
    browser = house.browser()
    text = await browser.post("/login", {"name": evil, "password": evil, "next": evil})
    assert browser.status in (403, 413), text
    assert "<script>alert" not in text and "<img src=x" not in text
    await house.add("li", Role.LEAD)
    await browser.log_in("li")
    text = await browser.post("/own", {"language": "en", "theme": "", "declined": evil})
    assert browser.status in (200, 400, 413)
    assert "<script>alert" not in text and "<img src=x" not in text


async def test_static_files_are_ours_and_stay(house: House) -> None:
    browser = house.browser()
    text = await browser.get("/login")
    for address in re.findall(r'(?:src|href)="(/console/static/[^"]+)"', text):
        await browser.get(house.api.url + address)
        assert browser.status == 200 and "immutable" in browser.headers["Cache-Control"], address
        assert browser.headers["X-Content-Type-Options"] == "nosniff"
    await browser.get("/static/../../etc/passwd")
    assert browser.status == 404 or browser.path == "/login"
    await browser.get("/static/nothing.js")
    assert browser.status == 404
