"""Emergency: from the button to an orderly end, and what every page tells while an incident stands."""

from __future__ import annotations

import re

from gateway.control.access.roles import Role
from gateway.control.incidents.incident_states import IncidentEnds
from tests.gateway.control.console.conftest import House
from tests.gateway.control.incidents.conftest import Emergency

EVIL = '<script>alert("x")</script>\u202e'
FORM = {
    "scope": "rooms", "places": f"r1\r\n\r\n{EVIL}", "hold": "1", "pace": "30", "level": "60", "minutes": "15",
    "ground": "order 4", "reason": EVIL,
}  # fmt: skip


def hidden(page: str) -> list[tuple[str, str]]:
    """What the confirmation sends."""
    form = page[page.index('action="/console/incidents"') :]
    pairs = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form)
    read = (("&#34;", '"'), ("&lt;", "<"), ("&gt;", ">"))
    found = []
    for name, value in pairs:
        for told, meant in read:
            value = value.replace(told, meant)
        if name != "csrf":
            found.append((name, value))
    return found


async def test_from_the_button_to_an_orderly_end(house: House) -> None:
    browser = await house.logged_in("lea", Role.LEAD)
    emergency = Emergency(house.api, people_too=False)
    page = await browser.get("/incidents")
    assert 'href="/console/incidents/new"' in page and '<aside class="incidents"' not in page
    await browser.get("/incidents/new")
    page = await browser.post("/incidents/preview", FORM)
    assert "cannot hold" not in page and EVIL not in page and "&lt;script&gt;" in page
    assert (await house.api("GET", "/v1/incidents"))["incidents"] == []  # seen, and not begun
    page = await browser.post("/incidents", hidden(page))
    assert browser.path == "/incidents/1" and "Done. Act" in page
    (made,) = (await house.api("GET", "/v1/incidents"))["incidents"]
    assert made["places"] == sorted(["r1", EVIL])
    assert (made["hold"], made["freeze"], made["pace"], made["level"]) == (True, False, 30.0, 60)
    assert made["ends_at"] - made["begun_at"] == 900_000_000
    page = await browser.get("/queues")
    assert '<aside class="incidents"' in page and EVIL not in page and 'href="/console/incidents/1"' in page
    case = emergency.hold("m1", 1)
    emergency.hold("m2", 1)
    emergency.claimed(case)
    page = await browser.get("/incidents/1")
    assert "/incidents/1/release" not in page  # it stands
    await browser.post("/incidents/1/extend", {"minutes": "30", "reason": "it goes on"})
    page = await browser.post("/incidents/1/end", {"reason": "quiet"})
    assert "claimed by somebody" in page and "/incidents/1/release" in page
    assert emergency.waiting() == ["m1", "m2"]
    page = await browser.get("/queues")
    assert '<aside class="incidents"' not in page
    await browser.get("/incidents/1")
    page = await browser.post("/incidents/1/release", {"count": "1", "reason": "read through"})
    assert "Decided: 1" in page and "decided, not yet in effect" in page
    log = page[page.index('id="log"') :]
    said = ("began it", "extended it", "ended it", "released in bulk")
    assert [log.index(word) for word in said] == sorted(log.index(word) for word in said)


async def test_what_it_held_expires_in_bulk(house: House) -> None:
    browser = await house.logged_in("lea", Role.LEAD)
    emergency = Emergency(house.api, people_too=False)
    await browser.get("/incidents/new", headers={"Accept-Language": "zh"})
    await browser.post("/incidents", {**FORM, "scope": "all", "places": "", "reason": "谣言"})
    emergency.hold("m1", 1)
    emergency.later(901)
    ends = IncidentEnds(house.plant.ledger, lambda: False, lambda: emergency.now * 1000)
    await ends.look()
    page = await browser.get("/incidents/1", headers={"Accept-Language": "zh"})
    assert "到期结束" in page and "批量作废" in page
    await browser.post("/incidents/1/expire", {"count": "1", "reason": "too old"})
    assert emergency.states() == {"m1": "expired"}


async def test_what_cannot_be_begun_is_told_and_others_only_look(house: House) -> None:
    browser = await house.logged_in("lea", Role.LEAD)
    await browser.get("/incidents/new", headers={"Accept-Language": "zh"})
    page = await browser.post("/incidents/preview", {**FORM, "places": ""}, headers={"Accept-Language": "zh"})
    assert browser.status == 400 and "填写的内容不符合要求" in page
    await browser.get("/incidents/new")
    await browser.post("/incidents", {**FORM, "minutes": "1441"})
    assert browser.status == 409
    await browser.get("/incidents/new")
    await browser.post("/incidents", FORM)
    viewer = await house.logged_in("vic", Role.VIEWER)
    page = await viewer.get("/incidents/1")
    assert viewer.status == 200 and "<form" not in page[page.index("<main") : page.index("</main>")]
    assert "/incidents/new" not in await viewer.get("/incidents")
    assert '<aside class="incidents"' in viewer.text


async def test_names_beside_everywhere_are_asked_about(house: House) -> None:
    """Whoever wrote the name of a room does not mean all of them."""
    browser = await house.logged_in("lea", Role.LEAD)
    chinese = {"Accept-Language": "zh"}
    page = await browser.get("/incidents/new", headers=chinese)
    page = await browser.post("/incidents/preview", {**FORM, "scope": "all"}, headers=chinese)
    assert browser.status == 400
    assert "选择“全部”时请留空" in page and "Value error" not in page
    assert "data-back" in page
