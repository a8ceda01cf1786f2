"""Cases decided together at the console: counted and shown first."""

from __future__ import annotations

from gateway.control.access.roles import Role
from tests.gateway.control.console.pages.conftest import ConsoleDesk


async def test_previewed_then_decided(desk: ConsoleDesk) -> None:
    numbers = [desk.case(f"m{at}", room="r7") for at in range(3)]
    desk.case("other")
    lea = await desk.house.logged_in("lea", Role.LEAD)
    await lea.get("/queues")
    assert "/console/bulk" in lea.text
    await lea.get("/bulk")
    await lea.post("/bulk", {"room": "r7", "word": ""})
    assert "3 cases would be decided." in lea.text
    assert [(await desk.row(number))["state"] for number in numbers] == ["waiting"] * 3
    await lea.post("/bulk/decide", {"room": "r7", "count": "3", "digit": "2"})
    assert lea.path == "/bulk"
    rows = [await desk.row(number) for number in numbers]
    assert {(row["state"], row["outcome"], row["ground"]) for row in rows} == {("decided", "refused", "agreement 3.2")}


async def test_whoever_leads_nobody_is_told_so(desk: ConsoleDesk) -> None:
    desk.case("m1", room="r7")
    ann = await desk.house.logged_in("ann", Role.REVIEWER)
    await ann.get("/bulk")
    await ann.post("/bulk", {"room": "r7"})
    assert "review.lead_only" in ann.text or ann.status == 403
    await ann.get("/queues")
    assert "/console/bulk" not in ann.text
