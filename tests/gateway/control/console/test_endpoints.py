"""One's own side of the console over the API."""

from __future__ import annotations

from gateway.control.access.roles import Role
from tests.gateway.control.console.conftest import House


async def test_what_one_chooses_stays_and_is_ones_own(house: House) -> None:
    api = house.api
    empty = {"language": "", "theme": "", "declined": [], "cap": 0, "rest": 0}
    assert await api("GET", "/v1/me/console") == empty
    done = await api("PUT", "/v1/me/console", json={"language": "zh", "declined": ["abuse"], "cap": 300})
    assert done["result"] == empty | {"language": "zh", "declined": ["abuse"], "cap": 300}
    done = await api("PUT", "/v1/me/console", json={"rest": 50, "language": ""})
    assert done["result"] == empty | {"declined": ["abuse"], "cap": 300, "rest": 50}
    browser = await house.logged_in("li", Role.VIEWER)
    await browser.get("/own")
    assert "abuse" not in browser.text
    for wrong in (
        {"language": "fr"},
        {"cap": -1},
        {"rest": 601},
        {"declined": ["x" * 65]},
        {"declined": ["a\nb"]},
        {"more": 1},
    ):
        await api("PUT", "/v1/me/console", json=wrong)
        assert api.status == 400, wrong


async def test_an_admin_ends_somebodys_sessions(house: House) -> None:
    browser = await house.logged_in("li", Role.LEAD)
    done = await house.api("DELETE", "/v1/people/li/sessions", params={"reason": "a lost telephone"})
    assert done["result"] == {"ended": 1}
    await browser.get("/queues")
    assert browser.path == "/login"
    await browser.log_in("li")
    assert browser.path == "/queues"
    answer = await house.api("DELETE", "/v1/people/nobody/sessions", params={"reason": "r"})
    assert (house.api.status, answer["reason"]) == (404, "control.person_unknown")


async def test_ones_own_sessions_end_with_ones_own_token(house: House) -> None:
    assert (await house.api("DELETE", "/v1/me/sessions", params={"reason": "r"}))["result"] == {"ended": 0}
