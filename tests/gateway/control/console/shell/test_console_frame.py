"""Pages are made with everything escaped and nothing left out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from jinja2 import UndefinedError

from gateway.control import console
from gateway.control.console.shell.console_frame import environment, isotime, moment, span


def test_what_is_not_there_is_an_error_and_what_is_there_is_escaped() -> None:
    made = environment().from_string("{{ word }}")
    assert made.render(word="<b>&\"'") == "&lt;b&gt;&amp;&#34;&#39;"
    with pytest.raises(UndefinedError):
        made.render()


@pytest.mark.parametrize(
    ("seconds", "english", "chinese"),
    [
        (0, "0 s", "0秒"),
        (59.6, "1 min", "1分钟"),
        (61, "1 min 1 s", "1分钟1秒"),
        (3600, "1 h", "1小时"),
        (3661, "1 h 1 min", "1小时1分钟"),
        (200_000, "2 d 7 h", "2天7小时"),
        (-5, "0 s", "0秒"),
    ],
)
def test_how_long(seconds: float, english: str, chinese: str) -> None:
    assert (span(seconds, "en"), span(seconds, "zh")) == (english, chinese)


def test_moments() -> None:
    assert moment(1_800_000_000_000_000) == "2027-01-15 08:00:00 UTC"
    assert isotime(1_800_000_000_000_000) == "2027-01-15T08:00:00Z"
    for far in (1 << 62, 10**12 * 10**6):  # what has an end that nobody will see takes no page away
        assert (moment(far), isotime(far)) == ("9999-12-31 23:59:59 UTC", "9999-12-31T23:59:59Z")


def test_what_people_write_is_drawn_with_what_hides_told() -> None:
    """Whatever stands in a ``bdi`` was written by somebody, here or at the platform."""
    found = 0
    for place in sorted((Path(console.__file__).parent / "templates").glob("*.html")):
        text = place.read_text(encoding="utf-8")
        for inside in re.findall(r"<bdi[^>]*>(.*?)</bdi>", text, re.DOTALL):
            for told in re.findall(r"{{(.*?)}}", inside):
                assert "| shown" in told or "pieces.drawn(" in told, f"{place.name}: {told}"
                found += 1
        assert re.findall(r'class="text[^>]*>{{ (?!pieces\.drawn\(|[\w.]+ \| shown)', text) == [], place.name
    assert found > 60
