"""The demo before a real browser. All of it is ``make browser``: Chromium is no part of what tests need otherwise."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from rig.browser import SIZES, Tab, until
from rig.ports import free_ports
from rig.process import ROOT

PASSWORD = "correct horse battery staple"
READY = 180.0  # seconds
WHY = "tries the console"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.timeout(900))


class Demo:
    """``tidegate demo`` with its sample cases. ``ask`` is the admin API, as the first person."""

    def __init__(self, session: aiohttp.ClientSession, data: Path) -> None:
        gate, control, platform = (f"127.0.0.1:{port}" for port in free_ports(3))
        self.gate, self.control, self.platform = f"http://{gate}", f"http://{control}", f"http://{platform}"
        self.data = data
        self._argv = ["demo", "--data-dir", str(data), "--listen", gate, "--control", control, "--platform", platform]
        self._session = session
        self._token = ""

    async def start(self) -> None:
        program = Path(sys.executable).with_name("python")
        self.process = await asyncio.create_subprocess_exec(
            program, "-m", "gateway", *self._argv, cwd=ROOT, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        assert self.process.stdout is not None
        async with asyncio.timeout(READY):
            while b"ready" not in (line := await self.process.stdout.readline()):
                assert line, "the demo ended"
        self._token = (self.data / "control" / "first-token").read_text(encoding="ascii").strip()

    async def stop(self) -> None:
        self.process.terminate()
        await self.process.communicate()

    async def ask(self, method: str, path: str, json: Any = None, **query: str) -> Any:
        headers = {"Authorization": f"Bearer {self._token}"}
        url = self.control + path
        async with self._session.request(method, url, headers=headers, json=json, params=query) as answer:
            told = await answer.json()
            assert answer.status < 300, told
            return told

    async def case(self, number: int) -> Any:
        return await self.ask("GET", f"/v1/review/cases/{number}")

    async def send(self, path: str, sender: str, text: str) -> tuple[int, Any]:
        """To the gate, as somebody on the platform; status and answer."""
        fields = {"X-User-Id": sender}
        async with self._session.post(self.gate + path, json={"content": text, "time": 1.0}, headers=fields) as answer:
            return answer.status, await answer.json()

    async def shown(self, url: str) -> str:
        """What anybody reads there."""
        async with self._session.get(url) as answer:
            return await answer.text()

    async def person(self, name: str, *roles: str) -> str:
        """Somebody new; the password with which they begin."""
        await self.ask("POST", "/v1/people", {"name": name, "roles": list(roles), "reason": WHY})
        given = await self.ask("PUT", f"/v1/people/{name}/password", {"reason": WHY})
        return str(given["result"]["password"])


class Desk(Tab):
    """A browser at the console of a demo. ``size``: ``desk`` has a keyboard, on a ``phone`` people tap."""

    def __init__(self, demo: Demo, session: aiohttp.ClientSession, scratch: Path, size: str) -> None:
        super().__init__(session, scratch)
        self.demo = demo
        self.size = size

    async def visit(self, path: str) -> None:
        await self.go(f"{self.demo.control}/console{path}", SIZES[self.size])

    async def path(self) -> str:
        return str(await self.see("location.pathname")).removeprefix("/console")

    async def at(self, path: str) -> None:
        """Wait for the page of this address."""
        try:
            await until(
                lambda: self.see(
                    f"location.pathname.startsWith('/console{path}') && document.readyState === 'complete'"
                )
            )
        except TimeoutError:
            raise AssertionError(f"at {path}: {await self.path()} {await self.text()}") from None

    async def press(self, key: str, what: str = "") -> None:
        """That key, or on a phone a tap on what it stands for (``what``: a selector). It leads to another page."""
        selector = what or f"main [data-key~='{key}']"
        await self.leads(self.key(key) if self.size == "desk" else self.tap(selector))

    async def sent(self, selector: str) -> None:
        """A form's button."""
        await self.leads(self.tap(selector))

    async def language(self, language: str) -> None:
        """From the head of the page, as anybody would."""
        if await self.see("document.documentElement.lang.slice(0, 2)") != language:
            await self.sent(f"[name=language][value={language}], [data-language={language}]")

    async def log_in(self, name: str, *roles: str, language: str = "en") -> None:
        """Somebody new, with a first password, which they change; by keys alone where there are keys."""
        given = await self.demo.person(name, *roles)
        await self.visit("/login")
        await self.language(language)
        await until(lambda: self.see("document.activeElement?.id === 'name'"))
        await self.typed(name)
        await self.key("Tab")
        await self.typed(given)
        await self.leads(self.key("Enter"))
        assert await self.path() == "/password"
        await until(lambda: self.see("document.activeElement?.id === 'old'"))
        for text in (given, PASSWORD, PASSWORD):
            await self.typed(text)
            await self.key("Tab")
        await self.leads(self.key("Enter"))
        assert await self.path() != "/password", await self.text()
        await self.language(language)

    async def case(self) -> int:
        """The number of the case on the page."""
        await self.at("/review/")
        return int((await self.path()).rpartition("/")[2])


Opens = Callable[..., Awaitable[Desk]]


@pytest.fixture(scope="session", autouse=True)
def chromium() -> None:
    assert shutil.which("chromium") is not None, "tools/debian-packages browser"


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as made:
        yield made


@pytest.fixture
async def demo(session: aiohttp.ClientSession, tmp_path: Path) -> AsyncIterator[Demo]:
    made = Demo(session, tmp_path / "data")
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def opens(demo: Demo, session: aiohttp.ClientSession, tmp_path: Path) -> AsyncIterator[Opens]:
    """Another browser at the console, in a window of that size."""
    async with AsyncExitStack() as stack:

        async def opened(size: str = "desk", path: str = "/console/login") -> Desk:
            tab = Desk(demo, session, tmp_path, size)
            await tab.open(demo.control + path)
            stack.push_async_callback(tab.close)
            return tab

        yield opened
