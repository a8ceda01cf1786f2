"""Hand-over at the console: what is open, and the note for the next lead."""

from __future__ import annotations

from gateway.control.access.roles import Role
from tests.gateway.control.console.pages.conftest import ConsoleDesk


async def test_what_is_open_and_a_note(desk: ConsoleDesk) -> None:
    number = desk.case("m1")
    ann = await desk.house.logged_in("ann", Role.REVIEWER)
    await ann.post("/review/next")
    await ann.post(f"/review/{number}/escalate", {"note": "names a minor"})
    lea = await desk.house.logged_in("lea", Role.LEAD)
    await lea.get("/handover")
    assert "names a minor" in lea.text
    assert f"/review/{number}" in lea.text
    assert "u-m1" not in lea.text
    await lea.post("/handover", {"note": "<script>room 7</script>\r\nask its owner"})
    assert lea.path == "/handover"
    assert "&lt;script&gt;room 7&lt;/script&gt;\nask its owner" in lea.text
    await lea.get("/handover?hours=8")
    assert "<strong>8 hours</strong>" in lea.text


async def test_in_chinese_and_for_an_auditor(desk: ConsoleDesk) -> None:
    aud = await desk.house.logged_in("aud", Role.AUDITOR)
    aud.session.headers["Accept-Language"] = "zh"
    await aud.get("/handover")
    assert "交接班" in aud.text
    assert 'name="note"' not in aud.text
