"""Browsers at the console: cookies, forms with their mark, and nothing else."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from aiohttp import ClientResponse, ClientSession, CookieJar

from gateway.control.access.roles import Role
from gateway.control.people import passwords, people

PASSWORD = "correct horse battery"


class Browser:
    """One browser. ``text`` is the last page, ``status`` its status, ``path`` where it ended."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.session = ClientSession(cookie_jar=CookieJar(unsafe=True), headers={"Accept-Language": "en"})
        self.text = ""
        self.status = 0
        self.path = ""
        self.headers: Mapping[str, str] = {}

    async def get(self, path: str, **more: Any) -> str:
        return await self._asked("GET", path, **more)

    async def post(self, path: str, data: Any = None, *, csrf: str | None = None, **more: Any) -> str:
        """With the mark of the page that was seen last, or another one."""
        fields = list((data or {}).items()) if not isinstance(data, list) else data
        mark = self.csrf if csrf is None else csrf
        return await self._asked("POST", path, data=[*fields, ("csrf", mark)], **more)

    @property
    def csrf(self) -> str:
        found = re.search(r'name="csrf" value="([0-9a-f]+)"', self.text)
        return found[1] if found else ""

    async def log_in(self, name: str, password: str = PASSWORD, **more: Any) -> str:
        return await self.post("/login", {"name": name, "password": password}, **more)

    async def _asked(self, method: str, path: str, **more: Any) -> str:
        url = path if path.startswith("http") else f"{self.url}/console{path}"
        async with self.session.request(method, url, **more) as response:
            await self._seen(response)
            return self.text

    async def _seen(self, response: ClientResponse) -> None:
        self.text = await response.text()
        self.status, self.headers = response.status, response.headers
        self.path = response.url.path.removeprefix("/console")


class House:
    """Everybody at the console. ``add`` makes a person with a password of their own."""

    def __init__(self, api: Any) -> None:
        self.api = api
        self.plant = api.plant
        self.browsers: list[Browser] = []

    def browser(self) -> Browser:
        self.browsers.append(Browser(self.api.url))
        return self.browsers[-1]

    async def add(self, name: str, *roles: Role, once: bool = False, password: str = PASSWORD) -> None:
        encoded = await self.plant.passwords.hashed(password)

        def work(unit: Any) -> None:
            people.add(unit, name, people.new_token(), roles)
            passwords.put(unit, name, encoded, once=once)

        await self.plant.ledger.act("admin", "new", "person.add", f"person:{name}", work)

    async def logged_in(self, name: str, *roles: Role) -> Browser:
        await self.add(name, *roles)
        browser = self.browser()
        await browser.log_in(name)
        assert browser.status == 200, browser.text
        return browser


@pytest.fixture
async def house(api: Any) -> AsyncIterator[House]:
    made = House(api)
    yield made
    for browser in made.browsers:
        await browser.session.close()
