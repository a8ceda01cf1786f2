"""The suites as the documents tell them: what each sends by default is written there, and is a storm."""

import re
from pathlib import Path

import pytest

from loadtest.crowd.rooms import Rooms
from loadtest.crowd.suites import SUITES, offered
from loadtest.shapes import SHAPES

ROOT = Path(__file__).parent.parent.parent.parent
PAGE = (ROOT / "docs" / "loadtest.md").read_text(encoding="utf-8")
MOST = 500.0  # messages a second that two processors carry with all that takes part on them


@pytest.mark.parametrize("name", SUITES)
def test_the_page_tells_what_each_suite_sends(name: str) -> None:
    suite = SUITES[name]
    (row,) = re.findall(rf"^\| `{name}` \|(.+)\|$", PAGE, re.MULTILINE)
    *_, users, shape, rate = (cell.strip() for cell in row.split("|"))
    assert int(users) == suite.users
    assert shape == suite.shape
    assert suite.shape in SHAPES
    assert int(rate) == round(offered(suite, suite.users, 0.0))


@pytest.mark.parametrize("name", SUITES)
def test_each_suite_is_a_storm_that_two_processors_carry(name: str) -> None:
    """Frames on screens count for sockets: a bullet goes to everybody in its room, by Zipf's law."""
    suite = SUITES[name]
    rate = offered(suite, suite.users, 0.0)
    watching = {part.user: suite.users * part.weight / sum(p.weight for p in suite.parts) for part in suite.parts}
    frames = 0.0
    for part in suite.parts:
        if part.user in ("Viewer", "Fan"):
            rooms = Rooms("show", part.rooms)
            audience = sum(rooms.share(n) ** 2 for n in range(1, part.rooms + 1)) * (
                watching.get("Viewer", 0) + watching.get("Fan", 0)
            )
            frames += watching[part.user] * part.rate * audience
    assert rate <= MOST
    assert max(rate, frames) >= 200


def test_the_page_tells_how_many_screens_a_bullet_reaches() -> None:
    rooms, suite = Rooms("show", 3), SUITES["live-show"]
    audience = sum(rooms.share(number) ** 2 for number in (1, 2, 3)) * suite.users
    rate = offered(suite, suite.users, 0.0)
    assert "goes to 120 screens in the mean" in PAGE
    assert audience == pytest.approx(120, rel=0.03)
    assert "5,200 frames/s" in PAGE
    assert rate * audience == pytest.approx(5200, rel=0.03)
    crest = suite.parts[0].wave.crest * rate
    assert "130 bullets/s and 15,500 frames/s" in PAGE
    assert crest == pytest.approx(130, rel=0.03)
    assert crest * audience == pytest.approx(15_500, rel=0.03)
