"""People: a password that was forgotten, a telephone that was lost."""

from __future__ import annotations

import re

from gateway.control.access.roles import Role
from tests.gateway.control.console.conftest import House


async def test_another_first_password_and_the_end_of_every_session(house: House) -> None:
    boss = await house.logged_in("boss", Role.ADMIN)
    li = await house.logged_in("li", Role.REVIEWER)
    await boss.get("/people")
    page = await boss.post("/people/li/password", {"reason": "forgotten"})
    found = re.search(r"<code>([a-z0-9-]{19})</code>", page)
    assert found is not None and "First password of" in page
    await li.get("/review")
    assert li.path == "/login"
    await li.log_in("li", found[1])
    assert li.path == "/password"
    await boss.post("/people/li/log-out", {"reason": "a lost telephone"})
    assert boss.path == "/people"
    await li.get("/password")
    assert li.path == "/login"
    await boss.post("/people/nobody/log-out", {"reason": "a lost telephone"})
    assert boss.status == 404
