"""Markup undone: what is seen is what browsers show, positions are the original's, and any text takes linear work."""

import html
import re
from collections.abc import Callable
from html.entities import html5
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.lists.wordlist import compile_list, load, parse
from filters.model.verdict import Hit
from filters.reading.explanation import explain
from filters.reading.keywords import AnyList, Bounds, Scanner
from filters.text.markup import Markup, Plain, unmarked
from gateway.words.files import folding_tables

Made = Callable[..., AnyList]
BITS = [
    "<",
    ">",
    "&",
    ";",
    "#",
    "x",
    "b",
    "a ",
    "/",
    "!",
    "--",
    "'",
    '"',
    "=",
    "[",
    "]",
    "(",
    ")",
    "*",
    "_",
    "`",
    "\\",
    "~",
]
BITS += [
    "<b>",
    "</b>",
    "<br>",
    "&amp;",
    "&#32593;",
    "&lt",
    "href='x'",
    "<script>",
    "</script>",
    "<p hidden>",
    "<p>",
    "</p>",
    "<template>",
    "</template>",
    "<img>",
    "<textarea>",
    "</title",
    "网",
    "赌博",
    "1",
    " ",
    "\n",
    "http://a.b",
    "&#",
    "]:",
]
texts = st.one_of(st.lists(st.sampled_from(BITS), max_size=24).map("".join), st.text(max_size=24))
MARKUPS: list[Markup] = ["html", "markdown"]
GAMBLING = load(compile_list(parse("网上赌博\n", "gambling"), folding_tables()).data, folding_tables())


def seen(text: str, markup: Markup = "html") -> str:
    undone = unmarked(text, markup)
    return text if undone is None else undone.seen.text


def hits(words: AnyList, text: str, markup: Markup = "html") -> list[list[str]]:
    found: tuple[Hit, ...] = Scanner([words], markup=markup).scan((text,)).hits.get(words.name, ())
    return [[text[start:end] for start, end in hit.spans] for hit in found]


@pytest.mark.parametrize(
    ("word", "text", "markup", "covered"),
    [
        ("网上赌博", "&#32593;&#19978;赌博", "html", ["&#32593;&#19978;赌博"]),
        ("网上赌博", "&#x7F51&#x4e0a赌博!", "html", ["&#x7F51&#x4e0a赌博"]),
        ("网上赌博", "网&#8203;上赌博", "html", ["网&#8203;上赌博"]),
        ("网上赌博", "网<b>上</b>赌博", "html", ["网", "上", "赌博"]),
        ("网上赌博", "<p>网<span></span>上<em>赌</em>博</p>", "html", ["网", "上", "赌", "博"]),
        ("网上赌博", "网<!-- x > y -->上赌博", "html", ["网", "上赌博"]),
        ("网上赌博", '网<a title="1>2">上赌博', "html", ["网", "上赌博"]),
        ("网上赌博", "网<x-y>上</x-y>赌博", "html", ["网", "上", "赌博"]),
        ("buy followers", "buy&nbsp;followers", "html", ["buy&nbsp;followers"]),
        ("buy followers", "buy<br>followers", "html", ["buy", "followers"]),
        ("idiot", "i&shy;d&ZeroWidthSpace;iot", "html", ["i&shy;d&ZeroWidthSpace;iot"]),
        ("idiot", "id<i>io</i>t", "html", ["id", "io", "t"]),
        ("idiot", "<p>idiot</p>", "html", ["idiot"]),
        ("idiot", "&lt;b&gt;idiot", "html", ["idiot"]),
        ("idiot", "i <3 u idiot", "html", ["idiot"]),
        ("idiot", "<b idiot", "html", ["idiot"]),
        ("idiot", "<b title='idiot'>x</b>", "html", ["idiot"]),
        ("idiot", "<idiot>", "html", ["idiot"]),
        ("idiot", "<!-- idiot -->", "html", ["idiot"]),
        ("网上赌博", "网[上](http://a.b)赌博", "markdown", ["网", "上", "赌博"]),
        ("网上赌博", "网![上](http://a.b 'x')赌博", "markdown", ["网", "上", "赌博"]),
        ("网上赌博", "网[上][1]赌博\n\n[1]: http://a.b", "markdown", ["网", "上", "赌博"]),
        ("网上赌博", "网*上*赌__博", "markdown", ["网", "上", "赌__博"]),
        ("网上赌博", "网~~上~~赌`博`", "markdown", ["网", "上", "赌", "博"]),
        ("网上赌博", "网\\*上赌博", "markdown", ["网", "*上赌博"]),
        ("网上赌博", "网<b>上</b>&#36172;博", "markdown", ["网", "上", "&#36172;博"]),
        ("idiot", "id**io**t", "markdown", ["id", "io", "t"]),
    ],
)
def test_words_are_found_through_markup_and_their_spans_leave_it_out(
    made: Made, word: str, text: str, markup: Markup, covered: list[str]
) -> None:
    found = hits(made(f"{word}\n"), text, markup)
    assert len(found) == 1
    assert found[0] == covered


@pytest.mark.parametrize("markup", MARKUPS)
@pytest.mark.parametrize(
    "text",
    [
        "a < b",
        "x & y",
        "i <3 u",
        "AT&T",
        "1 * 2 * 3",
        "snake_case_names",
        "a<1",
        "R&D; Q&A",
        "5 > 3",
        "[sic] (x)",
        "<3>",
        "&#;",
    ],
)
def test_what_is_no_markup_stays(text: str, markup: Markup) -> None:
    assert seen(text, markup) == text


def test_only_once() -> None:
    assert seen("&amp;#32593;") == "&#32593;"
    assert seen("&lt;b&gt;") == "<b>"


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("<a href='http&#58;//e.com'>x</a>", "http://e.com\n"),
        ('<img src=http://e.com alt="q" width=3 class=ass>', "http://e.com\nq\n"),
        ("[x](http://e.com 'title')", "http://e.com\n'title'\n"),
    ],
)
def test_targets_are_read_apart(text: str, hidden: str, made: Made) -> None:
    undone = unmarked(text, "markdown")
    assert undone is not None
    assert undone.hidden.text == hidden
    links = made("@kind patterns\n[a-z]+\\.com\n", "links")
    assert hits(links, text, "markdown") == [["e.com"]]


def test_nothing_joins_what_is_seen_with_what_is_not(made: Made) -> None:
    assert hits(made("赌博\n"), "赌<a title='博'>x</a>") == []
    assert hits(made("赌博\n"), "<a title='赌'>博</a>") == []


def test_a_list_may_read_the_text_as_it_came(made: Made) -> None:
    words = made("@fold markup off\n网上赌博\nsrc\n")
    assert hits(words, "网<b>上</b>赌博") == []
    assert hits(words, "<img src=x>") == [["src"]]
    assert hits(made("网上赌博\n"), "&#32593;上赌博", "off") == []


def test_a_fingerprint_is_of_the_text_without_html_on_every_route(made: Made) -> None:
    words = made("zzz\n")
    prints = {
        Scanner([words], True, markup=markup).scan((text,)).fingerprint
        for markup in ("html", "markdown", "off")
        for text in ("buy now", "b<b>uy</b> now", "&#98;uy now")
    }
    assert len(prints) == 1


def positions(text: str, plain: Plain) -> None:
    for place, char in enumerate(plain.text):
        spans = plain.spans(place, place + 1)
        if not spans:
            assert char in "\n\ufffc"
            continue
        ((start, end),) = spans
        stretch = text[start:end]
        assert stretch == char or (
            stretch.startswith("&") and char in html.unescape(stretch) + "\ufffd" + chr_of(stretch)
        )


def chr_of(reference: str) -> str:
    match = re.fullmatch(r"&#(?:[xX]([0-9a-fA-F]+)|([0-9]+));?", reference)
    code = int(match[1], 16) if match and match[1] else int(match[2]) if match else 0
    return chr(code) if code <= 0x10FFFF else ""


@given(texts, st.sampled_from(MARKUPS))
def test_each_character_is_the_original_s_or_a_reference_s(text: str, markup: Markup) -> None:
    undone = unmarked(text, markup)
    if undone is None:
        return
    for part in undone.parts:
        positions(text, part)
    whole = undone.seen.spans(0, len(undone.seen.text))
    assert whole == sorted(whole)
    assert all(first[1] < second[0] for first, second in pairwise(whole))


references = st.one_of(
    st.sampled_from(sorted(html5)).map(lambda name: "&" + name),
    st.integers(0x20, 0x7E).map(lambda code: f"&#{code};"),
    st.sampled_from([0x4E00, 0x7F51, 0x1F600, 0, 0xD800, 0x110000, 0x80, 0x9F, 0x99]).map(lambda code: f"&#x{code:X};"),
)


@given(st.lists(st.one_of(references, st.sampled_from(["x", " ", "网", ";", "1", "&"])), max_size=12).map("".join))
def test_references_are_what_python_makes_of_them(text: str) -> None:
    assert seen(text) == html.unescape(text)


class Shown(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.text = ""

    def handle_data(self, data: str) -> None:
        self.text += data


elements = st.recursive(
    st.sampled_from(["网", "idiot ", "&amp;", "&#32593;", "<!-- c -->", "<wbr>", ""]),
    lambda inner: st.builds(
        lambda name, attribute, content: f"<{name}{attribute}>{''.join(content)}</{name}>",
        st.sampled_from(["b", "span", "a", "x-y"]),
        st.sampled_from(["", " title='a>b'", ' href="q"', " x=y"]),
        st.lists(inner, max_size=3),
    ),
    max_leaves=8,
)


@given(elements)
def test_well_formed_html_shows_what_a_parser_says(text: str) -> None:
    parser = Shown()
    parser.feed(text)
    parser.close()
    assert seen(text) == parser.text


JOINTS = ["<b>", "</b>", "<span class='x>y'>", "<!-- -->", "&#8203;", "&zwnj;", "&shy;", "<wbr>", ""]


@given(st.lists(st.sampled_from(JOINTS), min_size=4, max_size=4), st.integers(0, 15))
def test_a_word_with_anything_between_is_found_and_the_mask_keeps_the_tags(joints: list[str], spelled: int) -> None:
    chars = [f"&#{ord(char)};" if spelled >> place & 1 else char for place, char in enumerate("网上赌博")]
    text = "看" + "".join(joint + char for joint, char in zip(joints, chars, strict=True)) + "吧"
    (found,) = Scanner([GAMBLING], markup="html").scan((text,)).hits["gambling"]
    masked = text
    for start, end in reversed(found.spans):
        masked = masked[:start] + "*" * (end - start) + masked[end:]
    assert re.findall(r"<[^<]*>", masked) == re.findall(r"<[^<]*>", text)
    assert seen(masked).strip("看吧\u200b\u200c\xad*") == ""


# What a browser does not show, with something in it and around it.
UNSHOWN = [
    "<script>{}</script>", "<style>{}</style>", "<title>{}</title>", "<template>{}</template>", "<noembed>{}</noembed>",
    "<SCRIPT a=b>{}</script >", "<noscript>{}</noscript>", "<iframe src=x>{}</iframe>", "<datalist>{}</datalist>",
    "<div hidden>{}</div>", "<p hidden>{}</p>", "<x-y hidden>{}</x-y>", "<div hidden><div>y</div>{}</div>",
    "<span style='display:none'>{}</span>", '<b style="color:red; DISPLAY : none">{}</b>', "<dialog>{}</dialog>",
    "<i style=visibility:hidden>{}</i>", "<i style='color: transparent'>{}</i>", "<u style='font-size:0'>{}</u>",
    "<u style='opacity: 0.0;'>{}</u>",
    "<span style='display:/* x */none'>{}</span>",
]  # fmt: skip


@pytest.mark.parametrize("element", UNSHOWN)
def test_what_a_browser_does_not_show_hides_no_word(made: Made, element: str) -> None:
    words, latin = made("网上赌博\n赌博\n"), made("idiot\n", "latin")
    # Its content parts nothing, and what stands around it hides nothing of it.
    assert ["赌", "博"] in hits(words, f"来赌{element.format('x')}博吧")
    assert ["网", "上", "赌", "博"] in hits(
        words, f"网{element.format('x')}上{element.format('')}赌{element.format('y')}博"
    )
    assert hits(latin, f"id{element.format('zz')}iot") == [["id", "iot"]]
    assert hits(latin, f"x{element.format('idiot')}x") == [["idiot"]]
    # A platform that takes the tags away only shows the content in its place.
    assert (
        hits(latin, f"an id{element.format('io')}t") in ([["id", "io", "t"]], [["id", "t"]], []) or "y</div>" in element
    )
    # And once it has ended, what follows is seen.
    assert hits(latin, f"{element.format('x')}id<b>io</b>t") == [["id", "io", "t"]]


@pytest.mark.parametrize(
    "text",
    [
        "<style><!--</style>id<b>iot</b>-->",
        "<textarea><!--</textarea>id<b>iot</b>-->",
        "<title><b title='</title>id<b>iot</b>'>",
        "<p hidden>x<p>id<b>iot</b>",
        "<ul><li hidden>x<li>id<b>iot</b></ul>",
        "<div><span hidden>x</div>id<b>iot</b>",
        "<table><td hidden>x<tr><td>id<b>iot</b>",
        "<script>id<b>iot</b>",
        "<template>id<b>iot</b>",
        "<plaintext>x</plaintext>",
        "<img hidden>id<b>iot</b>",
        "<div hidden>x<script></div></script>y</div>id<b>iot</b>",
    ],
)
def test_nothing_hides_behind_an_element_that_is_not_shown(made: Made, text: str) -> None:
    assert bool(hits(made("idiot\n"), text)) == ("iot" in text)
    assert bool(hits(made("idiot\n"), text, "markdown")) == ("iot" in text)


def test_what_is_shown_is_read_in_both_ways() -> None:
    undone = unmarked("x<template>id<b>io</b>t</template>y<p hidden>q<p>z", "html")
    assert undone is not None
    assert [part.text for part in undone.parts] == ["xidioty\nq\nz", "xy\nz", "idiot\nq\n"]
    plain = unmarked("<b>x</b>", "html")
    assert plain is not None
    assert plain.shown is None
    assert seen("<textarea>&lt;b&gt;<b>x</textarea>") == "<b>x"


def test_a_word_that_several_readings_hold_is_told_once(made: Made) -> None:
    words = made("idiot\n赌博\n")
    found = hits(words, "<script>x</script>idiot <b title='idiot'>赌博</b> id<style>x</style>iot")
    assert sorted(found) == [["idiot", "idiot", "id", "iot"], ["赌博"]]


def test_a_copy_with_something_unseen_is_a_copy(made: Made) -> None:
    words = made("zzz\n")
    prints = {
        Scanner([words], True, markup="html").scan((text,)).fingerprint
        for text in (
            "buy now",
            "buy<script>1</script> now",
            "<p hidden>22</p>buy now",
            "buy n<template>333</template>ow",
        )
    }
    assert len(prints) == 1


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("[1]: http://a.b", "1\nhttp://a.b\n"),
        ("[1]: http://a.b 'idiot'", "1\nhttp://a.b\n'idiot'\n"),
        ('x\n\n[1]: <a b> "idiot"\n[2]: c (idiot)', '1\n<a b>\n"idiot"\n2\nc\n(idiot)\n'),
    ],
)
def test_titles_of_link_definitions_are_read(text: str, hidden: str) -> None:
    undone = unmarked(text, "markdown")
    assert undone is not None
    assert undone.hidden.text == hidden


@pytest.mark.parametrize("text", ["[1]: http://a.b idiot", "idi\n[ot]: x", "x\n[1]: y", "> [1]: y", "[1]: a 'b' c"])
def test_what_is_no_definition_stays(text: str) -> None:
    """But for the brackets of what looks like a link to it."""
    told, written = (each.replace("[", "").replace("]", "") for each in (seen(text, "markdown"), text))
    assert told == written


@pytest.mark.parametrize("before", ["> ", "- ", "1. ", "# x\n", "x\n"])
def test_a_link_by_a_definition_that_stays(made: Made, before: str) -> None:
    found = hits(made("网上赌博\n"), f"{before}[a  B]: http://x\n\n网[上][A b]赌博", "markdown")
    assert found == [["网", "上", "赌博"]]


@pytest.mark.parametrize(
    "unit",
    [
        "<li>",
        "<li><ul>",
        "<p hidden>",
        "<script>",
        "<div hidden>a",
        "<td><table>",
        "<template></template>",
        "<textarea>&amp;</textarea>",
        "[x]: a 'b'\n",
        "&#",
        "&",
        "<",
        "<a ",
        '<a ="',
        "<b>",
        "<div><",
        "<!--",
        "<!",
        "[",
        "[a](",
        "[]((",
        "`a",
        "`` ``` ",
        "*a",
        "_ a",
        "\\",
        "[x]: a\n",
        "![a](((",
    ],
)
@pytest.mark.parametrize("markup", MARKUPS)
def test_openings_without_end_are_undone_or_stay(unit: str, markup: Markup) -> None:
    """64 KiB of each: some tenths of a second in pure Python (no assertion, for machines differ)."""
    text = (unit * 65_536)[:65_536]
    undone = unmarked(text, markup)
    assert undone is None or len(undone.seen.text) <= len(text)
    words = GAMBLING
    assert Scanner([words], markup=markup).scan((text,)).failed == {"gambling": "fold.bound"}
    assert Scanner([words], bounds=Bounds(65_536, 65_536), markup=markup).scan((text,)).hits == {}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("网<b>上</b>赌博", ("markup",)),
        ("&#32593;上-赌博", ("markup", "separators")),
        ("<p>网上赌博</p>", ()),
        ("网上赌🇨🇳博", ("styled", "separators")),
    ],
)
def test_an_explanation_names_the_markup(text: str, told: tuple[str, ...]) -> None:
    explanation = explain(text, [GAMBLING], markup="html")
    ((hit),) = explanation.hits
    assert set(told) <= set(hit.disguises)
    assert "inserted" not in hit.disguises
    assert ("markup" in hit.disguises) == ("markup" in told)
