"""The page whose plots move, and the figures that it asks for."""

from __future__ import annotations

import json
import re
from importlib import resources

from gateway.control.access.roles import Role
from gateway.control.console.pages.running.live_page import PLOTS
from tests.gateway.control.console.conftest import House


def counters(worker: str, checks: int, passed: int) -> dict[str, object]:
    buckets = [checks] + [0] * 24
    return {
        "started": worker, "pid": 1, "metrics": {
            "tidegate_check_seconds": {"bounds": [1.0] * 24, "series": [[[], buckets, checks * 0.002]]},
            "tidegate_messages_total": {"series": [[["comments", "pass", ""], passed]]},
        },
    }  # fmt: skip


async def test_figures_are_told_and_keep_nobody_logged_in(house: House) -> None:
    for worker in ("worker-0", "worker-1"):
        house.plant.totals.take(worker, counters(worker, 5, 40))
    browser = await house.logged_in("vi", Role.VIEWER)
    page = await browser.get("/live")
    assert all(f'data-series="{one}"' in page for plot in PLOTS.values() for one in plot)
    told = json.loads(await browser.get("/live/figures"))
    assert browser.headers["Content-Type"].startswith("application/json")
    assert told["spent"]["check"] == {"times": 10, "seconds": 0.02}
    assert told["traffic"]["messages"] == {"pass": 80}
    assert told["spent"]["state"] == {"times": 0, "seconds": 0.0}
    stranger = house.browser()
    await stranger.get("/live/figures", allow_redirects=False)
    assert stranger.status == 303  # the script sees that, and shows the log-in


def test_every_series_has_its_reader() -> None:
    script = (resources.files("gateway.control.console") / "static" / "live.js").read_text(encoding="utf-8")
    read = script[script.index("const READ") : script.index("const shown")]
    assert set(re.findall(r"(\w+): (?:rate|mean|\(one\))", read)) == {one for plot in PLOTS.values() for one in plot}
    assert "eval" not in script and "innerHTML" not in script and "http://www.w3.org/2000/svg" in script
