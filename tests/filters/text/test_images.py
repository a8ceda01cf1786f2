"""An image of markup is seen, and so is what describes it where it cannot be loaded: neither hides a word that it
stands in, nor makes one of its neighbours."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.model.verdict import Hit
from filters.reading.keywords import AnyList, Scanner
from filters.text.markup import Markup, unmarked

Made = Callable[..., AnyList]
MARKUPS: list[Markup] = ["html", "markdown"]
BITS = ["![", "](y)", "<template>", "</template>", "<img alt=网>", "<b>", "网", "[", "]", "<rt>"]


def hits(words: AnyList, text: str, markup: Markup = "html") -> list[list[str]]:
    found: tuple[Hit, ...] = Scanner([words], markup=markup).scan((text,)).hits.get(words.name, ())
    return [[text[start:end] for start, end in hit.spans] for hit in found]


@pytest.mark.parametrize("image", ["<img src=x>", "<svg></svg>", "<video src=x></video>", "<input>", "<embed>"])
def test_an_image_parts_what_stands_beside_it(made: Made, image: str) -> None:
    words = made("网上赌博\nclass\nass\n@allow 反网上赌博\n@allow class dismissed\n")
    assert hits(words, "反网上赌博 反<b>网</b>上赌博 class dismissed") == []
    assert hits(words, f"反{image}网上赌博") == [["网上赌博"]]
    assert hits(words, f"反网上{image}赌博") == [["网上", "赌博"]]
    assert hits(words, f"class {image} dismissed") == [["class"]]
    assert hits(words, f"gl{image}ass, gl<b>ass</b>") == [["ass"]]
    assert hits(words, "反<img hidden>网上赌博 反<input type=hidden>网上赌博") == []


def test_an_image_of_markdown_does_too(made: Made) -> None:
    words = made("网上赌博\nclass\n@allow 反网上赌博\n@allow class dismissed\n")
    assert hits(words, "反![](a.png)网上赌博", "markdown") == [["网上赌博"]]
    assert hits(words, "反[](a.png)网上赌博", "markdown") == []
    assert hits(words, "class<br>dismissed", "markdown") == [["class"]]
    assert hits(words, "class\ndismissed", "html") == [["class"]]


@pytest.mark.parametrize(
    "text",
    [
        "![x](y)idiot",
        "a ![x](y)idiot b",
        "x![a](b)idiot",
        "idiot![x](y)",
        "[![x](y)](z)idiot",
        "![[x](y)](z)idiot",
        "![x][1]idiot\n\n[1]: y",
    ],
)
def test_the_description_of_an_image_is_no_neighbour_of_the_words_around_it(made: Made, text: str) -> None:
    assert hits(made("idiot\n"), text, "markdown") == [["idiot"]]


IN_A_WORD = [
    ("markdown", "网![x](y)上赌博", ["网", "上赌博"]),
    ("markdown", '网![](y)上![b](c "d")赌博', ["网", "上", "赌博"]),
    ("markdown", "网![上](y)赌博", ["网", "上", "赌博"]),
    ("markdown", "网![a ![b](c) d](e)上赌博", ["网", "上赌博"]),
    ("markdown", "网[![x](y)](z)上赌博", ["网", "上赌博"]),
    ("markdown", "网![**x**](y)上赌博", ["网", "上赌博"]),
    ("markdown", "网![<b>x</b>](y)上赌博", ["网", "上赌博"]),
    ("markdown", "网![x][1]上赌博\n\n[1]: y", ["网", "上赌博"]),
    ("markdown", "网![x&#21704;](y)上赌博", ["网", "上赌博"]),
    ("markdown", "![网上赌博](y)", ["网上赌博"]),
    ("html", "网<img alt=x>上赌博", ["网", "上赌博"]),
    ("html", "网<img src=y alt=上>赌博", ["网", "上", "赌博"]),
    ("html", "网<img alt='&#19978;'>赌博", ["网", "&#19978;", "赌博"]),
    ("html", "网<img alt='网上赌博'>上赌博", ["网", "网上赌博", "上赌博"]),
    ("html", "<ruby>网<rt>wang</rt>上<rt>shang</ruby>赌博", ["网", "上", "赌博"]),
    ("html", "<ruby>网<rp>(</rp><rt>wang<rp>)</rp>上</ruby>赌博", ["网", "上", "赌博"]),
    ("html", "<ruby>x<rt>网上赌博</rt></ruby>", ["网上赌博"]),
]


@pytest.mark.parametrize(("markup", "text", "covered"), IN_A_WORD)
def test_an_image_inside_a_word_and_what_describes_it(
    made: Made, markup: Markup, text: str, covered: list[str]
) -> None:
    """The image is seen, or what describes it where it cannot be loaded: the text is read in both ways."""
    assert hits(made("网上赌博\n"), text, markup) == [covered]


@given(st.lists(st.sampled_from(BITS)))
def test_no_image_takes_a_letter_away(bits: list[str]) -> None:
    text = "".join(bits)
    for markup in MARKUPS:
        undone = unmarked(text, markup)
        told = [text] if undone is None else [part.text for part in undone.parts]
        assert sum(part.count("网") for part in told) >= text.count("网")
