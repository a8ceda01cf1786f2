"""Explanations say what the scanner found and how it got there."""

import json
from collections.abc import Callable

from filters.reading.explanation import explain
from filters.reading.keywords import AnyList, Bounds, Scanner


def test_everything_is_told(made: Callable[..., AnyList]) -> None:
    lists = [
        made("网上赌博 | category gambling\n@allow 反网上赌博", "gambling"),
        made("@kind patterns\nhttp://\\S+", "links"),
    ]
    text = "反網上賭博，網.上賭博 http://a.b"
    explanation = explain(text, lists)
    assert explanation.scan == Scanner(lists, True).scan((text,))
    assert [(each.word, each.covered) for each in explanation.hits] == [
        ("网上赌博", ("網.上賭博",)),
        ("http://\\S+", ("http://a.b",)),
    ]
    assert [(each.list, each.phrase, each.span) for each in explanation.excused] == [("gambling", "反网上赌博", (0, 5))]
    assert [reading.lists for reading in explanation.readings] == [("gambling",), ("links",)]
    assert [step.folding for step in explanation.readings[0].trail] == ["width", "traditional", "separators", "repeats"]
    plain = json.loads(json.dumps(explanation.as_dict()))
    assert plain["hits"][0]["spans"] == [[6, 11]]
    assert plain["fingerprint"] == explanation.scan.fingerprint.hex()


def test_nothing_found_and_nothing_readable(made: Callable[..., AnyList]) -> None:
    assert explain("好", [made("傻瓜")]).hits == ()
    failed = explain("好" * 20, [made("傻瓜")], Bounds(text=10, folded=10))
    assert failed.scan.failed == {"list": "fold.bound"}
    assert failed.readings == ()
    assert explain("好", []).readings == ()
