"""Debian's Chromium without a window, driven over the DevTools protocol: tabs in which somebody reads, presses, taps.

Each tab is a browser of its own with a profile of its own, as another person has it. Needs ``tools/debian-packages
browser``; axe-core comes from npm for the run.
"""

from __future__ import annotations

import asyncio
import base64
import json
import subprocess
import tarfile
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import aiohttp

from rig.ports import free_port

CHROMIUM: Final = (
    "chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--window-size=900,900",
)  # fmt: skip
SIZES: Final = {"desk": (1280, 900), "phone": (375, 667)}
WIDER: Final = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
CUT: Final = """[...document.querySelectorAll('button, input, textarea, select, a, h1')].filter(one => {
  const box = one.getBoundingClientRect();
  const slides = one.closest('.slides, .wide');
  return box.width && !slides && (box.left < 0 || box.right > document.documentElement.clientWidth);
}).map(one => one.outerHTML.slice(0, 80))"""
AXE: Final = """axe.run().then(told => told.violations.map(
  one => one.id + ': ' + one.nodes.map(node => node.html.slice(0, 120)).join(' | ')))"""
CODES: Final = {
    "Enter": ("Enter", 13, "\r"), "Escape": ("Escape", 27, ""), " ": ("Space", 32, " "), "Tab": ("Tab", 9, ""),
}  # fmt: skip
WITHIN: Final = 30.0


class Tab:
    """One browser with one page. ``open`` starts it."""

    def __init__(self, session: aiohttp.ClientSession, scratch: Path) -> None:
        self._session = session
        self._profile = Path(tempfile.mkdtemp(dir=scratch))
        self._calls = 0

    async def open(self, url: str) -> Tab:
        port = free_port()
        argv = [*CHROMIUM, f"--user-data-dir={self._profile}", f"--remote-debugging-port={port}", url]
        self._process = await asyncio.create_subprocess_exec(
            *argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

        async def page() -> str:
            try:
                async with self._session.get(f"http://127.0.0.1:{port}/json") as answer:
                    tabs = await answer.json()
            except aiohttp.ClientError:
                return ""
            return next((tab["webSocketDebuggerUrl"] for tab in tabs if tab["type"] == "page"), "")

        self._socket = await self._session.ws_connect(await until(page), max_msg_size=0)
        return self

    async def close(self) -> None:
        await self._socket.close()
        self._process.terminate()
        await self._process.wait()

    async def see(self, expression: str) -> Any:
        """The value of an expression in the page; asked once more where the page goes while it is asked."""
        for _ in range(50):
            try:
                told = await self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
                return told["result"].get("value")
            except KeyError:
                await asyncio.sleep(0.1)
        raise TimeoutError(expression)

    async def text(self) -> str:
        """All that stands on the page."""
        return str(await self.see("document.body.innerText"))

    async def go(self, url: str, size: tuple[int, int]) -> None:
        """Show another page, in a window of that size, and wait until it is there."""
        width, height = size
        await self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )
        await self.mark()
        await self.call("Page.navigate", url=url)
        await until(self._another)

    async def key(self, key: str) -> None:
        """Pressed and let go."""
        code, number, text = CODES.get(key, ("", ord(key.upper()[0]), key))
        told = {"key": key, "code": code, "windowsVirtualKeyCode": number, "text": text}
        await self.call("Input.dispatchKeyEvent", type="keyDown", **told)
        await self.call("Input.dispatchKeyEvent", type="keyUp", key=key, code=code, windowsVirtualKeyCode=number)

    async def typed(self, text: str) -> None:
        """As an input method gives it, where the cursor is."""
        await self.call("Input.insertText", text=text)

    async def tap(self, selector: str) -> None:
        """On the middle of the first one that is shown: whatever lies upon it is what is hit."""
        found = await self.see(
            f"(() => {{ const one = [...document.querySelectorAll({json.dumps(selector)})].find(e => e.offsetParent);"
            " if (!one) return null; one.scrollIntoView({block: 'center'}); const box = one.getBoundingClientRect();"
            " return [box.left + box.width / 2, box.top + box.height / 2]; })()"
        )
        if found is None:
            raise AssertionError(f"{selector} is not shown: {await self.text()}")
        for kind in ("mousePressed", "mouseReleased"):
            await self.call("Input.dispatchMouseEvent", type=kind, x=found[0], y=found[1], button="left", clickCount=1)

    async def fill(self, selector: str, text: str) -> None:
        """A field, by a tap and what is typed, in the place of what stands there."""
        await self.tap(selector)
        await self.see(f"document.querySelector({json.dumps(selector)}).select?.()")
        await self.typed(text)

    async def choose(self, selector: str, value: str) -> None:
        """Of a list."""
        await self.see(
            f"(() => {{ const one = document.querySelector({json.dumps(selector)}); one.value = {json.dumps(value)};"
            " one.dispatchEvent(new Event('change', {bubbles: true})); })()"
        )

    async def drawn(self) -> None:
        """Wait until what is in the window was drawn, as an eye needs it."""
        await self.see("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))")

    async def mark(self) -> None:
        """So that the next page can be told from this one."""
        await self.see("window.before = true")

    async def leads(self, how: Awaitable[None]) -> None:
        """Do what leads to another page, and wait until that is there, whole."""
        await self.mark()
        await how
        await until(self._another)

    async def _another(self) -> bool:
        return bool(await self.see("window.before !== true && document.readyState === 'complete'"))

    async def look(self, theme: str) -> None:
        """Light or dark, as the browser prefers."""
        await self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])

    async def network(self, *, offline: bool) -> None:
        """Taken away, or given back."""
        await self.call("Network.enable")
        await self.call(
            "Network.emulateNetworkConditions", offline=offline, latency=0, downloadThroughput=-1, uploadThroughput=-1
        )

    async def picture(self, path: Path) -> None:
        """What is seen of the page, as PNG."""
        told = await self.call("Page.captureScreenshot", format="png")
        await asyncio.to_thread(path.write_bytes, base64.b64decode(told["data"]))

    async def call(self, method: str, **parameters: Any) -> Any:
        """The protocol's. Raises KeyError where it says an error."""
        self._calls += 1
        await self._socket.send_json({"id": self._calls, "method": method, "params": parameters})
        while True:
            told = await self._socket.receive_json(timeout=20)
            if told.get("id") == self._calls:
                return told["result"]


async def until(look: Callable[[], Awaitable[Any]], within: float = WITHIN) -> Any:
    """What ``look`` gives, as soon as it gives something. Raises TimeoutError."""
    async with asyncio.timeout(within):
        while not (found := await look()):
            await asyncio.sleep(0.05)
        return found


async def axe_core(scratch: Path) -> str:
    """axe-core's script, from npm."""
    packed = await asyncio.create_subprocess_exec(
        "npm", "pack", "--silent", "axe-core", cwd=scratch, stdout=subprocess.PIPE
    )
    told, _ = await packed.communicate()
    with tarfile.open(scratch / told.decode().strip()) as archive:
        member = archive.extractfile("package/axe.min.js")
        assert member is not None
        return member.read().decode()
