"""``python tools/incident_run.py [FOLDER]``: an incident in a real browser, from the button to its orderly end.

Needs what ``tools/browser_run.py`` needs. Starts ``tidegate demo`` on ports of its own and logs a lead in, who begins
an incident, sees on every page that it stands, ends it, and releases what it held, which then is at the platform. Then
its pages, in both languages, 1280 and 375 px wide, light and dark: nothing cut, nothing that axe-core finds. Pictures
go to FOLDER where one is named. Ends with exit code 1 where anything else is seen. ``incident`` is for other runs.
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
import console_run
from browser_run import SIZES, axe_core, free_port, hold, until
from console_run import Control, Desk, logged_in, looked_at

TEXT = "is the exam really cancelled?"
BANNER = "document.querySelector('aside.incidents') !== null"


async def press(tab: Desk, text: str) -> None:
    """The button or link of this text, which leads to another page."""
    await tab.mark()
    found = f"[...document.querySelectorAll('main button, main a')].find(one => one.innerText.startsWith({text!r}))"
    hold(await tab.see(f"{found} !== undefined"), f"there is “{text}” to press")
    await tab.see(f"{found}.click()")
    try:
        await until(lambda: tab.see("window.before !== true && document.readyState === 'complete'"), 15)
    except TimeoutError:
        hold(False, f"“{text}” leads to a page: {await tab.text()}")


async def write(tab: Desk, place: str, text: str) -> None:
    """Into a field, as a person types."""
    await tab.see(f"document.getElementById({place!r}).focus()")
    await tab.typed(text)


async def incident(tab: Desk, base: str, control: Control, session: aiohttp.ClientSession, public: str) -> int:
    """From the button to an orderly end, by a lead who is logged in, in English; its number. ``public``: where senders
    write."""

    async def say(text: str) -> Any:
        fields = {"X-User-Id": "alice"}
        async with session.post(f"{public}/api/articles/1/comments", json={"content": text}, headers=fields) as told:
            return told.status, await told.json()

    async def shown() -> bool:
        async with session.get(f"{public}/api/articles/1/comments") as told:
            return TEXT in await told.text()

    await tab.go(f"{base}/console/incidents", SIZES["desk"])
    await press(tab, "Begin an incident")
    await write(tab, "ground", "order 4")
    await write(tab, "reason", "a rumour about the exam")
    await press(tab, "Look at what it touches")
    told = await tab.text()
    hold("cannot hold: refuses" in told and "article-comments" in told, "what it touches is told before")
    hold((await control("GET", "/v1/incidents"))["incidents"] == [], "and nothing has begun")
    await press(tab, "Begin now")
    number = int(str(await tab.see("location.pathname")).rpartition("/")[2])
    status, answer = await say(TEXT)
    hold((status, answer["status"]) == (202, "held"), f"a comment waits: {status}")
    await tab.go(f"{base}/console/queues", SIZES["desk"])
    hold(await tab.see(BANNER), "every page tells that an incident stands")

    async def waits() -> bool:
        return bool((await control("GET", f"/v1/incidents/{number}"))["waiting"])

    await until(waits, 20)
    await tab.go(f"{base}/console/incidents/{number}", SIZES["desk"])
    hold("Release them" not in await tab.text(), "while it stands nothing is released in bulk")
    await write(tab, "end-reason", "quiet again")
    await press(tab, "End now")
    hold(not await tab.see(BANNER), "it is over")
    hold(not await shown(), "its end has released nothing")
    await write(tab, "release-reason", "read through")
    await press(tab, "Release them")
    hold("Decided: 1" in await tab.text(), "one is released")

    await until(shown, 60)
    hold(True, "and it is at the platform")
    await tab.go(f"{base}/console/incidents/{number}", SIZES["desk"])
    log = str(await tab.see("document.querySelector('#log + ol').innerText"))
    told_in = ("began it", "ended it", "released in bulk")
    hold(all(word in log for word in told_in), "the log has who did what")
    return number


async def run() -> None:
    console_run.PICTURES = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp())
    console_run.PICTURES.mkdir(exist_ok=True)
    listen, control_at, platform = (f"127.0.0.1:{free_port()}" for _ in range(3))
    base, public = f"http://{control_at}", f"http://{listen}"
    async with AsyncExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        data = scratch / "data"
        demo = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "gateway", "demo", "--data-dir", str(data), "--listen", listen,
            "--control", control_at, "--platform", platform, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        stack.callback(demo.terminate)
        assert demo.stdout is not None
        async with asyncio.timeout(180):
            while b"ready" not in await demo.stdout.readline():
                pass
        session = await stack.enter_async_context(aiohttp.ClientSession())
        control = Control(session, base, (data / "control" / "first-token").read_text(encoding="ascii").strip())
        axe = await axe_core(scratch)
        began = time.monotonic()
        tab = Desk(session, scratch)
        await tab.open(f"{base}/console/login")
        stack.push_async_callback(tab.close)
        await tab.at("/login")
        await tab.see("document.cookie = 'tidegate-language=en; path=/console'")
        await logged_in(tab, base, control, "wang", "lead")
        over = await incident(tab, base, control, session, public)
        body = {"scope": "rooms", "places": ["1"], "hold": True, "pace": 30, "level": 60, "seconds": 3600}
        more = {"ground": "order 4", "reason": "网上流传考试取消的谣言"}
        stands = (await control("POST", "/v1/incidents", json={**body, **more}))["result"]["id"]
        pages = {"incidents": "/incidents", "incident-new": "/incidents/new", "incident-over": f"/incidents/{over}"}
        await looked_at(tab, base, axe, {**pages, "incident-standing": f"/incidents/{stands}"})
        print(f"in {time.monotonic() - began:.0f} s; pictures are in {console_run.PICTURES}")


if __name__ == "__main__":
    if shutil.which("chromium") is None:
        sys.exit("chromium is missing: tools/debian-packages browser")
    asyncio.run(run())
