"""A text as it has to be seen to be judged."""

from __future__ import annotations

import pytest

from gateway.control.console.shell.shown_text import LONGEST, TextPiece, pieces, shown, spans_of


@pytest.mark.parametrize(
    ("text", "spans", "shown"),
    [
        ("", [], []),
        ("buy gold", [], [("plain", "buy gold")]),
        ("buy gold here", [[4, 8]], [("plain", "buy "), ("hit", "gold"), ("plain", " here")]),
        ("gold", [[0, 2], [1, 4]], [("hit", "gold")]),
        ("gold", [[-5, 99], [9, 12], [3, 1]], [("hit", "gold")]),
        ("赌\u200b博", [[0, 3]], [("hit", "赌"), ("odd", "U+200B"), ("hit", "博")]),
        ("a\u202eb", [], [("plain", "a"), ("odd", "U+202E"), ("plain", "b")]),
        ("a\x00\x1b\nb", [], [("plain", "a"), ("odd", "U+0000"), ("odd", "U+001B"), ("plain", "\nb")]),
        ("👨\u200d👩", [], [("plain", "👨\u200d👩")]),
        ("e" + "\u0301" * 4096 + "x", [], [("plain", "e" + "\u0301" * 4), ("odd", "+4092"), ("plain", "x")]),
        ("e" + "\u0301" * 9, [], [("plain", "e" + "\u0301" * 4), ("odd", "+5")]),
        ("e" + "\u20dd" * 9, [], [("plain", "e" + "\u20dd" * 4), ("odd", "+5")]),  # of no combining class
        ("e" + "\u0488\u0e31" * 4, [], [("plain", "e" + "\u0488\u0e31" * 2), ("odd", "+4")]),
        ("赌\u200d博", [], [("plain", "赌"), ("odd", "U+200D"), ("plain", "博")]),
        ("赌\ufe0f博", [], [("plain", "赌"), ("odd", "U+FE0F"), ("plain", "博")]),
        ("a\u3164b\u2800", [], [("plain", "a"), ("odd", "U+3164"), ("plain", "b"), ("odd", "U+2800")]),
        ("a\U000e0101", [], [("plain", "a"), ("odd", "U+E0101")]),
        ("❤\ufe0f\u200d🔥 1\ufe0f\u20e3", [], [("plain", "❤\ufe0f\u200d🔥 1\ufe0f\u20e3")]),
        ("क्\u200dष", [], [("plain", "क्\u200dष")]),
        ("❤" + "\ufe0f" * 3, [], [("plain", "❤\ufe0f"), ("odd", "U+FE0F"), ("odd", "U+FE0F")]),
        ("𝕘old", [[0, 1]], [("hit", "𝕘"), ("plain", "old")]),
    ],
)
def test_pieces(text: str, spans: list[list[int]], shown: list[tuple[str, str]]) -> None:
    assert pieces(text, spans) == [TextPiece(kind, part) for kind, part in shown]  # type: ignore[arg-type]


def test_in_a_template() -> None:
    assert shown("<b>\u202e" + "\u0301" * 5) == (
        '&lt;b&gt;<span class="odd">U+202E</span>' + "\u0301" * 4 + '<span class="odd">+1</span>'
    )
    assert (shown("a&b"), shown(7)) == ("a&amp;b", "7")


def test_a_text_without_end_ends() -> None:
    found = pieces("x" * (LONGEST + 7), [])
    assert found == [TextPiece("plain", "x" * LONGEST), TextPiece("odd", "+7")]


def test_spans_are_those_of_one_field() -> None:
    findings = [{"field": 0, "spans": [[0, 1]]}, {"field": 1, "spans": [[2, 3]]}, {"spans": [[4, 5]]}, {"field": 0}]
    assert spans_of(findings, 0) == [[0, 1], [4, 5]]
    assert spans_of(findings, 1) == [[2, 3]]
