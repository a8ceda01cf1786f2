"""What a page looks like, whatever people write."""

from __future__ import annotations

import gzip
from html.parser import HTMLParser

import brotli
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mirror.pages.bullet import Bullet, read
from gateway.mirror.pages.language import LANGUAGES
from gateway.mirror.pages.pages import (
    FAR,
    Pages,
    compressed,
    day_and_time,
    fragment,
    head_json,
    items_of,
    page_json,
    place_in_video,
    script,
    total_of,
)

ID = "01a20094-b11c-7000-8001-0054a58fe235"
AT = 1_795_248_000_123


class Reader(HTMLParser):
    """The texts of a page by element, and every element and attribute there is."""

    def __init__(self, html: bytes) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: dict[str, list[str]] = {}
        self._open: list[str] = []
        self.feed(html.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes += attrs
        if tag not in ("meta",):
            self._open.append(tag)
            self.texts.setdefault(tag, []).append("")

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag, "elements are not nested"

    def handle_data(self, data: str) -> None:
        if self._open:
            self.texts[self._open[-1]][-1] += data


@pytest.fixture
def pages() -> Pages:
    return Pages("en", "/mirror/")


def one(text: str, **more: object) -> Bullet:
    return Bullet(ID, AT, text, **more)  # type: ignore[arg-type]


def page(pages: Pages, *bullets: Bullet, room: str = "r1") -> bytes:
    return pages.html(room, 1, pages.items(bullets, {}), 0)


ELEMENTS = set(
    Reader(
        Pages("en", "/mirror/").html(
            "r", 2, Pages("en", "/m/").items([one("t", sender="s", labels=("l",), playback_ms=1)], {}), 3
        )
    ).elements
)


@given(st.text(), st.text(min_size=1), st.text(min_size=1), st.text(min_size=1))
def test_no_text_gets_out_of_its_element(text: str, sender: str, label: str, room: str) -> None:
    html = page(Pages("en", "/mirror/"), one(text, sender=sender, labels=(label,)), room=room)
    seen = Reader(html)
    assert set(seen.elements) <= ELEMENTS
    assert not any(name.startswith("on") or name == "src" for name, _ in seen.attributes)
    shown = seen.texts["p"][0]
    assert len(shown) == len(text)
    assert all(s == t or s == "\ufffd" or t in "\r" for s, t in zip(shown, text, strict=True))
    assert [s for s, t in zip(shown, text, strict=True) if t.isprintable()] == [t for t in text if t.isprintable()]
    assert html.count(b"<script") == 0


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "</p></li></ol><h1>x", '"><img src=x onerror=alert(1)>', "{{ 7*7 }}", "]]>"]
)
def test_markup_is_text(pages: Pages, text: str) -> None:
    seen = Reader(page(pages, one(text)))
    assert seen.texts["p"][0] == text
    assert "script" not in seen.elements
    assert "img" not in seen.elements


def test_directions_are_isolated_and_controls_are_not_sent(pages: Pages) -> None:
    override = "\u202eevil\u2067"
    seen = Reader(page(pages, one(f"a{override}\x00\x1b[2J", sender=override, labels=(override,)), room=f"r{override}"))
    assert seen.texts["p"][0] == f"a{override}\ufffd\ufffd[2J"
    assert ("dir", "auto") in seen.attributes
    assert seen.texts["bdi"] == ["revil", override, override]
    assert "\u202e" not in seen.texts["title"][0]
    style = seen.texts["style"][0]
    assert style.count("unicode-bidi:isolate") == 2


def test_combining_marks_stay_in_their_row(pages: Pages) -> None:
    style = Reader(page(pages, one("a" + "\u0301" * 100))).texts["style"][0]
    for selector in (".tidegate-mirror li{", ".tidegate-mirror p{"):
        rule = style.split(selector)[1].split("}")[0]
        assert "overflow:hidden" in rule


def test_a_page_declares_that_nothing_runs_and_nobody_indexes(pages: Pages) -> None:
    seen = Reader(page(pages, one("t")))
    assert ("content", "noindex") in seen.attributes
    assert ("content", pages.policy) in seen.attributes
    assert pages.policy.startswith("default-src 'none'; style-src 'sha256-")


def test_what_a_bullet_does_not_show_is_not_shown(pages: Pages) -> None:
    html = page(pages, one("t"))
    assert b"<bdi>" not in html.split(b"<ol>")[1].split(b"</ol>")[0]
    assert b"<mark>" not in html
    assert "▶".encode() not in html


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language(language: str) -> None:
    pages = Pages(language, "/mirror/")
    html = pages.html("r1", 2, pages.items([one("t", playback_ms=61_000)], {}), 3)
    text = html.decode()
    words = LANGUAGES[language]
    assert f'<html lang="{words.code}">' in text
    assert words.page.format(2) in text
    assert words.removed.format(3) in text
    assert "1:01" in text
    assert "{}" not in text


def test_links_of_complete_and_open_pages(pages: Pages) -> None:
    complete = pages.html("r1", 3, pages.items([one("t")], {}), 0).decode()
    assert all(f'href="{name}"' in complete for name in ("1.html", "2.html", "4.html", "./"))
    last = pages.html("r1", 3, pages.items([one("t")], {}), 0, total=21).decode()
    assert 'href="4.html"' not in last
    assert total_of(last.encode()) == 21
    assert total_of(complete.encode()) == 0


def test_head_and_fragment(pages: Pages) -> None:
    head = pages.head("房", pages.items([one("<!--/list-->"), one("t")], {}), 7, 30)
    part = fragment(head)
    assert part.startswith(b"<style>")
    assert part.rstrip().endswith(b"</section>")
    assert "<!--" not in part.decode()
    assert 'data-tidegate-mirror="=E6=88=BF"' in part.decode()
    assert 'href="/mirror/=E6=88=BF/30.html"' in part.decode()
    assert 'href="/mirror/=E6=88=BF/1.html"' in part.decode()
    assert 'href="/mirror/=E6=88=BF/5.html"' not in part.decode()
    empty = fragment(pages.head("r", pages.items([], {}), 0, 0)).decode()
    assert "No bullets yet" in empty
    assert "<nav" not in empty


def test_items_are_taken_out_as_they_stand(pages: Pages) -> None:
    texts = ['<li data-id="x">', "</ol>\n<ol>\n", "b\nc"]
    bullets = [one(text)._replace(id=f"{number}{ID[1:]}") for number, text in enumerate(texts)]
    items = [pages.items([bullet], {}) for bullet in bullets]
    assert items_of(page(pages, *bullets), 10) == items
    assert items_of(page(pages, *bullets), 2) == items[1:]
    assert items_of(page(pages), 2) == []


def test_rendered_once(pages: Pages) -> None:
    known: dict[str, str] = {}
    pages.items([one("a")], known)
    known[ID] = "kept"
    assert pages.items([one("a")], known) == "kept"


def test_json_says_the_same() -> None:
    bullet = one("t", playback_ms=5, labels=("l",), sender="s", platform_id="7", certain=False)
    told = orjson.loads(page_json("r", 2, [bullet], 1, complete=True))
    assert told["bullets"] == [
        {
            "id": ID,
            "at": AT,
            "text": "t",
            "playback_ms": 5,
            "labels": ["l"],
            "sender": "s",
            "platform_id": "7",
            "certain": False,
        }
    ]
    assert (told["room"], told["page"], told["complete"], told["removed"]) == ("r", 2, True, 1)
    assert read(told["bullets"][0]) == bullet
    assert read(orjson.loads(orjson.dumps(one("t").told()))) == one("t")
    assert orjson.loads(head_json("r", 3, 1)) == {"room": "r", "bullets": 3, "pages": 1}


def test_compressed_is_the_same_each_time() -> None:
    data = b"a page " * 1000
    packed = compressed(data)
    assert packed == compressed(data)
    assert gzip.decompress(packed[".gz"]) == data
    assert brotli.decompress(packed[".br"]) == data


def test_times() -> None:
    assert day_and_time(1_795_248_000) == "2026-11-21 08:00:00"
    assert day_and_time(-5) == "1970-01-01 00:00:00"
    assert day_and_time(10**15) == day_and_time(FAR)
    assert place_in_video(0) == "0:00"
    assert place_in_video(10**9) == "277:46:40"


def test_the_script_is_small_and_names_no_other_origin() -> None:
    assert len(script()) < 2500
    assert b"http" not in script()


@pytest.mark.parametrize(("language", "told"), [("en", "with a delay of up to 2.5 s"), ("zh", "最长 2.5 秒后显示")])
def test_a_head_tells_of_a_delay_once(language: str, told: str) -> None:
    pages = Pages(language, "/mirror/", 2.5)
    head = pages.head("r", pages.items([one("t")], {}), 1, 1)
    assert head.decode().count(told) == fragment(head).decode().count(told) == 1
    assert told not in pages.html("r", 1, pages.items([], {}), 0).decode()
    assert told not in Pages(language, "/mirror/").head("r", pages.items([], {}), 0, 0).decode()
