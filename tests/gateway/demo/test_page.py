"""Pages of the demo, whole: what is shared is put in, and what is written in has a name for who cannot see it."""

import re
from html.parser import HTMLParser

import pytest

from gateway.demo.page import PAGES, whole


class Reader(HTMLParser):
    """The elements of a page, each with its attributes and the names of those around it."""

    VOID = frozenset(("meta", "input"))

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str | None], tuple[str, ...]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs), tuple(self.open)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("name", PAGES)
def test_nothing_shared_is_left_out_and_every_element_is_closed(name: str) -> None:
    page = whole(name)
    assert "shared:" not in page
    assert not Reader(page).open


@pytest.mark.parametrize("name", PAGES)
def test_a_page_needs_nothing_from_elsewhere(name: str) -> None:
    assert not re.findall(r"""(?:src|href|url)\s*[=(]\s*["']?(?:https?:)?//""", whole(name))


@pytest.mark.parametrize("name", PAGES)
def test_all_that_is_written_in_has_a_name(name: str) -> None:
    """A placeholder is none: it is gone as soon as somebody writes."""
    for tag, attributes, around in Reader(whole(name)).found:
        if tag in ("input", "textarea", "select"):
            assert "label" in around or attributes.get("aria-label"), (name, attributes)


@pytest.mark.parametrize("name", PAGES)
def test_ids_are_of_one_element_each_and_what_is_described_is_there(name: str) -> None:
    ids = [attributes["id"] for _, attributes, _ in Reader(whole(name)).found if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes, _ in Reader(whole(name)).found:
        assert attributes.get("aria-describedby", "why") in (*ids, "why")


@pytest.mark.parametrize("name", ["article", "live", "group"])
def test_a_refusal_is_told_with_its_ground_category_and_appeal(name: str) -> None:
    page = whole(name)
    for fact in ("told.ground", "told.category", "told.appeal"):
        assert page.count(fact) == 1
