"""``python tools/report_run.py RUN KNEE COMPARED``: pages of load tests in a real browser, looked at, two of them kept.

Needs ``tools/debian-packages browser`` and, from npm, axe-core (fetched for the run). ``RUN`` and ``KNEE``: folders of
a run and of a search for the knee, ``COMPARED`` is a page of ``tidegate loadtest compare --html``. Opens each from its
file, in both languages, 1280 and 375 px wide: nothing is fetched, nothing is wider than the window or cut, every word
is in the language that is shown, and axe-core finds nothing. Pictures go to ``docs/loadtest/``. Ends with exit code 1
where anybody sees something else.
"""

from __future__ import annotations

import asyncio
import base64
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
from browser_run import AXE, CUT, ROOT, SIZES, WIDER, Tab, axe_core, hold

PICTURES = ROOT / "docs" / "loadtest"
KEPT = {("report", "en", "desk"), ("knee", "zh", "phone")}
HEIGHT = {"desk": 1250, "phone": 1100}  # of a picture, in pixels: the sentence, the figures, the first plots
SHOWN = """[...document.querySelectorAll('main span[lang]')].filter(
  one => one.lang !== document.documentElement.lang && one.getClientRects().length).length"""
ASKED = "performance.getEntriesByType('resource').length"
SVG = """[...document.querySelectorAll('figure > svg')].filter(one => one.getClientRects().length).map(
  one => one.querySelectorAll('text').length && Math.min(...[...one.querySelectorAll('text')].map(
    text => text.getBoundingClientRect().height)))"""


async def look_at(tab: Tab, name: str, page: Path, axe: str, scratch: Path) -> None:
    for language, told in (("en", "en"), ("zh", "zh-CN")):
        for size, (width, _) in SIZES.items():
            shown = f"{name}, {language}, {width} px"
            url = f"{page.as_uri()}#{language}"
            await tab._call("Emulation.setScrollbarsHidden", hidden=True)
            await tab.go("about:blank", (width, HEIGHT[size]))
            await tab.go(url, (width, HEIGHT[size]))
            hold(await tab.see("document.documentElement.lang") == told, f"{shown}: the page says its language")
            hold(await tab.see(SHOWN) == 0, f"{shown}: no word of the other language")
            hold(await tab.see(ASKED) == 0, f"{shown}: nothing is fetched")
            hold(await tab.see(WIDER) <= 0, f"{shown}: nothing is wider than the window")
            cut = await tab.see(CUT)
            hold(cut == [], f"{shown}: nothing to press or to read is cut {cut or ''}")
            heights = await tab.see(SVG)
            hold(all(each >= 10 for each in heights), f"{shown}: numbers in plots can be read {heights}")
            await tab.see("[...document.querySelectorAll('details')].forEach(one => one.open = true)")
            hold(await tab.see(WIDER) <= 0, f"{shown}: nor with all tables open")
            await tab.see(axe)
            found: Any = await tab.see(AXE)
            hold(found == [], f"{shown}: axe-core finds nothing {found or ''}")
            await tab.see("[...document.querySelectorAll('details')].forEach(one => one.open = false)")
            await tab.see("scrollTo(0, 0)")
            told_picture = await tab._call("Page.captureScreenshot", format="png")
            folder = PICTURES if (name, language, size) in KEPT else scratch
            (folder / f"{name}-{language}-{size}.png").write_bytes(base64.b64decode(told_picture["data"]))


async def run(pages: dict[str, Path], kept: Path) -> None:
    async with AsyncExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        tab = await Tab(session, scratch).open("about:blank")
        stack.push_async_callback(tab.close)
        axe = await axe_core(scratch)
        for name, page in pages.items():
            await look_at(tab, name, page, axe, kept)


def main() -> None:
    if len(sys.argv) not in (4, 5):
        raise SystemExit("usage: python tools/report_run.py RUN KNEE COMPARED [FOLDER-FOR-THE-OTHER-PICTURES]")
    folder, knee, compared = map(Path, sys.argv[1:4])
    others = Path(sys.argv[4]) if len(sys.argv) == 5 else Path(tempfile.mkdtemp(prefix="tidegate-pictures-"))
    pages = {"report": folder / "report.html", "knee": knee / "report.html", "compared": compared}
    PICTURES.mkdir(exist_ok=True)
    others.mkdir(parents=True, exist_ok=True)
    asyncio.run(run({name: page.resolve(strict=True) for name, page in pages.items()}, others))
    print(f"pictures: {PICTURES} and {others}")


if __name__ == "__main__":
    main()
