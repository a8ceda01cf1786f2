"""Is the list itself in the page? What counts, what does not."""

from __future__ import annotations

import pytest

from gateway.mirror.pages.bullet import Bullet
from gateway.mirror.pages.pages import Pages, fragment
from gateway.mirror.projector.page_probe import examine

ADDRESS = "https://platform.example/videos/r1"
PAGES = Pages("zh", "/mirror/")
BULLET = Bullet("01a20094-b11c-7000-8001-0054a58fe235", 1_795_248_000_000, "t")
INCLUDE = fragment(PAGES.head("r1", PAGES.items([BULLET], {}), 1, 1)).decode()
EMPTY = fragment(PAGES.head("r1", PAGES.items([], {}), 0, 0)).decode()
OTHER = fragment(PAGES.head("r2", PAGES.items([BULLET], {}), 1, 1)).decode()
FRAME = '<iframe src="/mirror/r1/"></iframe>'
SCRIPT = '<script src="/mirror/embed.js" data-room="r1" async></script>'


def result(body: str, *, filled: bool = True) -> str:
    html = f"<!doctype html><html><head><title>t</title></head><body>{body}</body></html>"
    return examine(html, ADDRESS, "/mirror/", "r1", filled=filled).result


@pytest.mark.parametrize(
    "body",
    [
        INCLUDE,
        f"<div><p>{INCLUDE}</div>",
        FRAME,
        '<iframe src="r1"></iframe><iframe src="../mirror/r1/fragment"></iframe>',
        '<iframe src="https://platform.example/mirror/r1/3.html"></iframe>',
        '<object data="/mirror/r1/"></object>',
        f"{SCRIPT}<noscript>{FRAME}</noscript>",
        f"{SCRIPT}<noscript>{INCLUDE}</noscript>",
        f"<noscript>{FRAME}</noscript><b>x</b>{SCRIPT}",
        "<noscript><p>turn it on</p></noscript>" + FRAME,
    ],
)
def test_contained(body: str) -> None:
    assert result(body) == "contained"


@pytest.mark.parametrize(
    "body",
    [
        '<a href="/mirror/r1/">all bullets</a>',
        '<link rel="alternate" href="/mirror/r1/">',
        SCRIPT,
        f'{SCRIPT}<noscript><a href="/mirror/r1/">list</a></noscript>',
        f"{SCRIPT}<noscript></noscript>{EMPTY}",
    ],
)
def test_linked(body: str) -> None:
    assert result(body) == "linked"


@pytest.mark.parametrize(
    "body",
    [
        "",
        EMPTY,
        f"<!-- {INCLUDE.replace('-->', '')} {FRAME} -->",
        f"<template>{INCLUDE}</template>",
        f"<textarea>{FRAME}</textarea>",
        f"<div hidden>{FRAME}</div>",
        f'<div style="display: none">{FRAME}</div>',
        '<iframe src="/mirror/r1/" width="0"></iframe>',
        '<iframe src="/mirror/r2/"></iframe>',
        '<iframe src="/mirror/r11/"></iframe>',
        '<iframe src="https://elsewhere.example/mirror/r1/"></iframe>',
        '<iframe src="/mirror/r1/x/y"></iframe>',
        "<script>var x = '<iframe src=\"/mirror/r1/\"></iframe>'</script>",
        '<script src="/mirror/embed.js" data-room="r2"></script>',
        f"<noscript>{FRAME}</noscript>",
    ],
)
def test_absent(body: str) -> None:
    assert result(body) == "absent"


def test_another_rooms_list_is_not_this_ones() -> None:
    seen = examine(OTHER, ADDRESS, "/mirror/", "r1", filled=True)
    assert seen.result == "absent"


def test_an_empty_room_shows_an_empty_list() -> None:
    assert result(EMPTY, filled=False) == "contained"
    assert examine(EMPTY, ADDRESS, "/mirror/", "r1", filled=True).how == "an include without its bullets"


def test_rooms_with_unusual_names() -> None:
    for source in ("/mirror/=E7=9B=B4/", "/mirror/%E7%9B%B4/"):
        assert (
            examine(f'<iframe src="{source}"></iframe>', ADDRESS, "/mirror/", "直", filled=True).result == "contained"
        )


@pytest.mark.parametrize("html", ["<", "<iframe src='http://[", "</noscript></noscript>" + FRAME, "<a" * 5000, "\x00"])
def test_broken_pages_are_read_as_far_as_they_go(html: str) -> None:
    assert examine(html, ADDRESS, "/mirror/", "r1", filled=True).result in ("contained", "absent")
