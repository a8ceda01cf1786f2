"""``python tools/console_run.py [--all]``: the console in a real browser, used as a person does, and kept as pictures.

Needs what ``tools/browser_run.py`` needs. Starts ``tidegate demo`` on ports of its own with its sample cases, logs
people in, and sees that what happens meanwhile is told. Then every page, in both languages, 1280 and 375 px wide, light
and dark: nothing cut, nothing that axe-core finds. Ends with exit code 1 where anything else is seen. What people do
there, act by act, is ``tests/browser`` (``make browser``).
Pictures are kept in docs/console/, some of them, or all (``--all``).
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
from browser_run import ROOT, hold

from rig.browser import AXE, CUT, SIZES, WIDER, Tab, axe_core, until
from rig.ports import free_port

PICTURES = ROOT / "docs" / "console"
PASSWORD = "correct horse battery staple"
KEPT = {
    ("review", "zh", "desk"), ("review", "en", "phone"), ("list", "zh", "desk"), ("list", "zh", "phone"),
    ("queues", "en", "desk"), ("login", "zh", "phone"),
}  # fmt: skip
LEAD = (
    "queues", "handover", "samples", "sample", "bulk", "incidents", "incidents/new", "messages", "senders",
    "rooms?room=1", "blocks", "lists", "takedowns", "obligations", "live", "acts", "own", "password",
)  # fmt: skip
ADMIN = ("node", "people")
BEYOND = """[...document.querySelectorAll('body *')].filter(
  one => one.getBoundingClientRect().right > document.documentElement.clientWidth + 1).map(
  one => one.outerHTML.slice(0, 90))"""


class Desk(Tab):
    """A tab in which somebody presses keys."""

    async def at(self, path: str) -> None:
        """Wait until the page of this address is there, whole."""
        seen = f"location.pathname.startsWith('/console{path}') && document.readyState === 'complete'"
        try:
            await until(lambda: self.see(seen), 15)
        except TimeoutError:
            hold(False, f"at {path}: {await self.see('location.href')} {await self.text()}")

    async def pressed(self, key: str) -> None:
        """A key that leads to another page."""
        await self.mark()
        await self.key(key)
        try:
            await until(lambda: self.see("window.before !== true && document.readyState === 'complete'"), 15)
        except TimeoutError:
            hold(False, f"{key} leads to a page: {await self.text()}")

    async def kept(self, name: str) -> None:
        await self.picture(PICTURES / f"{name}.png")


class Control:
    """The admin API, as the first person."""

    def __init__(self, session: aiohttp.ClientSession, base: str, token: str) -> None:
        self._session, self._base = session, base
        self._headers = {"Authorization": f"Bearer {token}"}

    async def __call__(self, method: str, path: str, **more: Any) -> Any:
        async with self._session.request(method, self._base + path, headers=self._headers, **more) as answer:
            return await answer.json()


async def logged_in(tab: Desk, base: str, control: Control, name: str, *roles: str) -> None:
    """A person with a first password, which they change, by keys alone."""
    await control("POST", "/v1/people", json={"name": name, "roles": list(roles), "reason": "tries the console"})
    given = await control("PUT", f"/v1/people/{name}/password", json={"reason": "tries the console"})
    await tab.go(f"{base}/console/login", SIZES["desk"])
    await until(lambda: tab.see("document.activeElement?.id === 'name'"))
    await tab.typed(name)
    await tab.key("Tab")
    await tab.typed(given["result"]["password"])
    await tab.pressed("Enter")
    hold(await tab.see("location.pathname") == "/console/password", f"{name} has to choose a password first")
    await until(lambda: tab.see("document.activeElement?.id === 'old'"))
    for text in (given["result"]["password"], PASSWORD, PASSWORD):
        await tab.typed(text)
        await tab.key("Tab")
    await tab.pressed("Enter")
    hold("/password" not in await tab.see("location.pathname"), f"{name} is in: {await tab.see('location.pathname')}")


async def meanwhile(tab: Desk, base: str, control: Control) -> None:
    """A case that ends under somebody's hands."""
    case = (await control("GET", "/v1/review/cases", params={"state": "claimed"}))["cases"][0]
    await tab.go(f"{base}/console/review/{case['id']}", SIZES["desk"])
    await control(
        "POST", "/v1/takedowns", json={"id": case["message_id"], "ground": "g", "reason": "taken down meanwhile"}
    )
    hold(await until(lambda: tab.see("document.getElementById('now').innerText.length > 0")), "it is told at once")
    await tab.kept("meanwhile")


async def looked_at(tab: Desk, base: str, axe: str, pages: dict[str, str]) -> None:
    """Every page in both languages, sizes and looks."""
    for name, path in pages.items():
        for language in ("en", "zh"):
            await tab.see(f"document.cookie = 'tidegate-language={language}; path=/console'")
            if name != "login":
                await tab.see(
                    "fetch('/console/own', {method: 'POST', headers: {'X-CSRF-Token': document.body.dataset.csrf, "
                    f"'Content-Type': 'application/x-www-form-urlencoded'}}, body: 'language={language}'}})"
                )
            for size, pixels in SIZES.items():
                for theme in ("light", "dark"):
                    shown = f"{name}, {language}, {pixels[0]} px, {theme}"
                    await tab.look(theme)
                    await tab.go(f"{base}/console{path}", pixels)
                    wide = await tab.see(BEYOND) if await tab.see(WIDER) > 0 else []
                    hold(wide == [], f"{shown}: nothing is wider than the window {wide or ''}")
                    cut = await tab.see(CUT)
                    hold([one for one in cut if "skip" not in one] == [], f"{shown}: nothing is cut {cut or ''}")
                    await tab.see(axe)
                    found = await tab.see(AXE)
                    hold(found == [], f"{shown}: axe-core finds nothing {found or ''}")
                    await tab.kept(f"{name}-{language}-{size}{'-dark' if theme == 'dark' else ''}")


def named(path: str) -> str:
    """What a page's pictures are called."""
    return path.partition("?")[0].replace("/", "_")


async def run() -> None:
    PICTURES.mkdir(exist_ok=True)
    listen, control_at, platform = (f"127.0.0.1:{free_port()}" for _ in range(3))
    base = f"http://{control_at}"
    async with AsyncExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        data = scratch / "data"
        demo = await asyncio.create_subprocess_exec(
            Path(sys.executable).with_name("tidegate"), "demo", "--data-dir", str(data), "--listen", listen,
            "--control", control_at, "--platform", platform, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        stack.callback(demo.terminate)
        assert demo.stdout is not None
        async with asyncio.timeout(120):
            while b"ready" not in (line := await demo.stdout.readline()):
                if line.startswith(b"console"):
                    print(line.decode().strip())
        session = await stack.enter_async_context(aiohttp.ClientSession())
        control = Control(session, base, (data / "control" / "first-token").read_text(encoding="ascii").strip())
        axe = await axe_core(scratch)
        began = time.monotonic()

        async def tab(path: str) -> Desk:
            opened = Desk(session, scratch)
            await opened.open(base + path)
            stack.push_async_callback(opened.close)
            await opened.at(path.removeprefix("/console"))
            return opened

        stranger = await tab("/console/login")
        await looked_at(stranger, base, axe, {"login": "/login"})
        await stranger.see("document.cookie = 'tidegate-language=en; path=/console'")
        reviewer = await tab("/console/login")
        await logged_in(reviewer, base, control, "li", "reviewer")
        await reviewer.go(f"{base}/console/list", SIZES["desk"])
        await reviewer.pressed("n")
        await meanwhile(reviewer, base, control)
        case = (await control("GET", "/v1/review/cases", params={"state": "claimed"}))["cases"][0]["id"]
        await looked_at(reviewer, base, axe, {"review": f"/review/{case}", "list": "/list", "appeals": "/appeals"})
        await stranger.see("document.cookie = 'tidegate-language=en; path=/console'")
        for name, role, paths in (("wang", "lead", LEAD), ("chen", "admin", ADMIN)):
            await logged_in(stranger, base, control, name, role)
            await looked_at(stranger, base, axe, {named(path): f"/{path}" for path in paths})
            await stranger.see("document.querySelector('form[action$=\"/logout\"] button').click()")
            await stranger.at("/login")
            await stranger.see("document.cookie = 'tidegate-language=en; path=/console'")
        print(f"in {time.monotonic() - began:.0f} s")
    for picture in PICTURES.glob("*.png"):
        parts = tuple(picture.stem.split("-"))
        if parts not in KEPT and "--all" not in sys.argv:
            picture.unlink()
    print(f"pictures are in {PICTURES.relative_to(ROOT)}")


if __name__ == "__main__":
    if shutil.which("chromium") is None:
        sys.exit("chromium is missing: tools/debian-packages browser")
    asyncio.run(run())
