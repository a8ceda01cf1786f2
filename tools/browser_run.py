"""``python tools/browser_run.py``: the demo in two real browsers, looked at, and kept as pictures in docs/demo/.

Needs ``tools/debian-packages browser`` and, from npm, axe-core (fetched for the run). Starts ``tidegate demo`` on ports
of its own, opens tabs for several people over the DevTools protocol, and checks what each of them sees: a bullet moving
in both browsers and standing in the static list; a refused one told to its sender only, its text kept in the field; a
taken-down one gone from both; a group chat; what the comment page explains. Then every page, in both languages, 1280
and 375 px wide: nothing cut, and nothing that axe-core finds. Ends with exit code 1 where anybody sees something else.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from rig.browser import AXE, CUT, SIZES, WIDER, Tab, axe_core, until  # noqa: E402
from rig.ports import free_port  # noqa: E402

PICTURES = ROOT / "docs" / "demo"
SEND = "document.getElementById('text').value = {text}; document.getElementById('form').requestSubmit();"
BULLETS = "[...document.querySelectorAll('.bullet')].map(bullet => bullet.textContent)"
STATIC = "document.getElementById('static').innerText"
NOTICE = "document.getElementById('why').className && document.getElementById('why').innerText"
FIELD = "document.getElementById('text').value"
PAGES = {"index": "/", "article": "/articles/9", "live": "/videos/9?user=bob", "group": "/groups/9?user=bob"}
LIVE = "['live', 'connected'].includes(document.getElementById('status')?.textContent)"
MESSAGES = "document.getElementById('messages').innerText"


def hold(seen: Any, what: str) -> None:
    print(("seen: " if seen else "NOT SEEN: ") + what)
    if not seen:
        raise SystemExit(1)


async def send(tab: Tab, text: str) -> None:
    await tab.see(SEND.format(text=json.dumps(text)))


async def bullets(base: str, data: Path, alice: Tab, bob: Tab) -> None:
    async def flies(tab: Tab, text: str) -> bool:
        return text in (await tab.see(BULLETS) or ())

    async def stands(tab: Tab, text: str) -> bool:
        return text in (await tab.see(STATIC) or "")

    await send(alice, "前方高能预警")
    hold(await until(lambda: flies(bob, "前方高能预警")), "alice's bullet moves in bob's browser")
    hold(await until(lambda: flies(alice, "前方高能预警")), "and in her own")
    await send(bob, "代开发票找我")
    told_why = await until(lambda: bob.see(NOTICE))
    hold("breaks the rules" in told_why, f"bob is told of his refusal: {told_why}")
    for fact in ("agreement 3.1", "spam", "/appeals?code="):
        hold(fact in told_why, f"with {fact}")
    hold(await bob.see(FIELD) == "代开发票找我", "his text is still in the field")
    hold("breaks the rules" not in (await alice.see(NOTICE) or ""), "alice is not told")
    hold(await alice.see(FIELD) == "", "and her field is empty again")
    hold(not await flies(alice, "代开发票找我"), "and does not see the text")
    await bob.picture(PICTURES / "refused-sender.png")
    hold(await until(lambda: stands(bob, "前方高能预警")), "the bullet stands in the static list on the page")
    await send(alice, "第二条弹幕")
    await until(lambda: flies(bob, "第二条弹幕"))
    number = await bob.see(
        "[...document.querySelectorAll('.bullet')].find(b => b.textContent === '第二条弹幕').dataset.ref"
    )
    await alice.picture(PICTURES / "live-alice.png")
    await bob.picture(PICTURES / "live-bob.png")
    await until(lambda: stands(alice, "第二条弹幕"))
    taken = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("tidegate"), "takedown", str(number), "--reason", "order 7",
        "--data-dir", str(data), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    told, _ = await taken.communicate()
    hold(
        b"confirmed" in told.lower() and not taken.returncode, f"the takedown of {number} is confirmed: {told.decode()}"
    )

    async def gone() -> bool:
        shown = await bob.see(f"fetch('{base}/mirror/7/').then(a => a.text())")
        return not await flies(bob, "第二条弹幕") and "第二条弹幕" not in shown

    hold(await until(gone), "the taken-down bullet is gone from the player and from the static version")
    await bob.see("location.reload()")
    await until(lambda: stands(bob, "前方高能预警"))
    hold(not await stands(bob, "第二条弹幕"), "and from the page")
    await bob.picture(PICTURES / "taken-down.png")


async def group(alice: Tab, carol: Tab) -> None:
    await send(alice, "大家好")
    await send(carol, "I may not speak")

    async def reads(tab: Tab, text: str) -> bool:
        return text in (await tab.see(MESSAGES) or "")

    hold(await until(lambda: reads(carol, "大家好")), "a group message reaches everybody")
    hold(not await reads(alice, "I may not speak"), "one of an unverified person reaches nobody")
    await alice.picture(PICTURES / "group-alice.png")
    await carol.picture(PICTURES / "group-carol.png")


async def comments(tab: Tab) -> None:
    buttons = await until(lambda: tab.see("document.querySelectorAll('.try button').length"))
    for place, name in ((2, "comment-refused"), (4, "comment-masked")):
        hold(buttons > place, f"an example for {name}")
        await tab.see(f"document.querySelectorAll('.try button')[{place}].click()")
        hold(await until(lambda: tab.see("document.getElementById('why').innerText")), f"why: {name}")
        await asyncio.sleep(0.5)  # for the picture: the page fades in
        await tab.picture(PICTURES / f"{name}.png")


async def looked_at(tab: Tab, base: str, axe: str) -> None:
    """Every page, in both languages and sizes, with a refusal on it where one can write."""
    for name, path in PAGES.items():
        for language in ("en", "zh"):
            for size, pixels in SIZES.items():
                shown = f"{name}, {language}, {pixels[0]} px"
                await tab.go(f"{base}{path}{'&' if '?' in path else '?'}lang={language}", pixels)
                if name in ("live", "group"):
                    await until(lambda: tab.see("typeof socket !== 'undefined' && socket?.readyState === 1"))
                if name != "index":
                    await send(tab, "網.上-赌★博")
                    await until(lambda: tab.see(NOTICE))
                    hold(await tab.see(FIELD) == "網.上-赌★博", f"{shown}: a refused text stays in the field")
                    hold("appeals?code=" in await tab.see(NOTICE), f"{shown}: the way to appeal is told")
                await tab.see("scrollTo(0, 0)")
                hold(await tab.see(WIDER) <= 0, f"{shown}: nothing is wider than the window")
                cut = await tab.see(CUT)
                hold(cut == [], f"{shown}: nothing to press or to read is cut {cut or ''}")
                await tab.see(axe)
                found = await tab.see(AXE)
                hold(found == [], f"{shown}: axe-core finds nothing {found or ''}")
                await tab.picture(PICTURES / f"{name}-{language}-{size}.png")


async def grows(dave: Tab, bob: Tab) -> None:
    """The static list follows without anybody's doing."""
    for number in range(3):
        text = f"growing {number}"
        await send(dave, text)
        hold(
            await until(lambda text=text: bob.see(f"{STATIC}.includes('{text}')"), 8),  # type: ignore[misc]
            f"{text} joins the static list while bob watches",
        )


async def run() -> None:
    PICTURES.mkdir(exist_ok=True)
    listen, control, platform = (f"127.0.0.1:{free_port()}" for _ in range(3))
    base = f"http://{listen}"
    async with AsyncExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        data = scratch / "data"
        demo = await asyncio.create_subprocess_exec(
            Path(sys.executable).with_name("tidegate"), "demo", "--data-dir", str(data), "--listen", listen,
            "--control", control, "--platform", platform, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        stack.callback(demo.terminate)
        assert demo.stdout is not None
        async with asyncio.timeout(60):
            while b"ready" not in await demo.stdout.readline():
                pass
        session = await stack.enter_async_context(aiohttp.ClientSession())

        async def tab(path: str) -> Tab:
            opened = await Tab(session, scratch).open(base + path)
            stack.push_async_callback(opened.close)
            return opened

        async def live(path: str) -> Tab:
            opened = await tab(path)
            await until(lambda: opened.see(LIVE))
            return opened

        axe = await axe_core(scratch)
        await bullets(base, data, await live("/videos/7?user=alice"), await live("/videos/7?user=bob"))
        await grows(await live("/videos/8?user=dave"), await live("/videos/8?user=bob"))
        await group(await live("/groups/5?user=alice"), await live("/groups/5?user=carol"))
        await comments(await tab("/articles/3"))
        await looked_at(await tab("/"), base, axe)
    print(f"pictures are in {PICTURES.relative_to(ROOT)}")


if __name__ == "__main__":
    if shutil.which("chromium") is None:
        sys.exit("chromium is missing: tools/debian-packages browser")
    asyncio.run(run())
