"""Presets are whole: each is read, says everything in two languages, and is true about how far it was tried."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from gateway.presets import composing, preset
from gateway.presets.preset import UnknownPreset

ROOT = Path(__file__).parents[3]
PROMISED = {
    "isso", "waline", "twikoo", "synapse", "django-comments", "dplayer", "artplayer", "bilibili-live", "graphql",
    "phoenix", "json-rpc", "discourse", "wordpress", "plain",
}  # fmt: skip


def test_the_platforms_that_are_promised_are_there() -> None:
    assert set(preset.names()) == PROMISED
    assert preset.names()[-1] == "plain"


def test_nobody_else_is() -> None:
    with pytest.raises(UnknownPreset):
        preset.load("../plain")


@pytest.mark.parametrize("name", preset.names())
def test_each_says_everything_in_both_languages(name: str) -> None:
    one = preset.load(name)
    for told in (one.en, one.zh):
        assert told.about and told.judged and told.unjudged and told.refused
    for key in ("judged", "unjudged", "cannot", "todo"):
        assert len(getattr(one.en, key)) == len(getattr(one.zh, key)), key
    chinese = [one.zh.about, one.zh.refused, *one.zh.judged, *one.zh.unjudged, *one.zh.cannot, *one.zh.todo]
    assert all(re.search(r"[\u4e00-\u9fff]", said) for said in chinese)
    assert one.told("zh") is one.zh
    assert one.told("en") is one.told("auto") is one.en


@pytest.mark.parametrize("name", preset.names())
def test_what_is_said_once_stands_in_full_where_it_is_meant(name: str) -> None:
    text = (Path(preset.__file__).parent / "platforms" / f"{name}.toml").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 500
    head, _, body = text.partition(preset.MARK)
    same = tomllib.loads(head)["preset"].get("same", {})
    meant = preset.SAME.findall(body)
    assert set(meant) == set(same)
    full = preset.load(name).body
    assert "#=" not in full
    for said, stands in same.items():
        assert full.count(stands) == meant.count(said) > 1


@pytest.mark.parametrize("name", preset.names())
def test_each_keeps_to_what_is_written_around_it(name: str) -> None:
    one = preset.load(name)
    assert set(one.document) <= {"routes", "mirror"}
    assert set(one.policies) <= set(composing.POLICIES)
    assert {route["upstream"] for route in one.document["routes"]} == {"platform"}
    assert ("site" in one.asks) <= (preset.SITE in one.body)
    forgeable = re.compile(r'^sender = .*"(hash:)?(header|cookie|query|json|form):', re.MULTILINE)
    assert ("front" in one.asks) is (forgeable.search(one.body) is not None)


def tried() -> dict[str, list[str]]:
    """Which modules of the suite say that they do a preset: a line ``PRESET = "isso"``."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "tests" / "platforms").rglob("*.py")):
        for name in re.findall(r'^PRESET = "([\w-]+)"', path.read_text(encoding="utf-8"), re.MULTILINE):
            found.setdefault(name, []).append(path.name)
    return found


@pytest.mark.parametrize("name", preset.names())
def test_tried_is_what_the_suite_does_with_the_published_package(name: str) -> None:
    assert preset.load(name).tried is (name in tried()), f"tests/platforms has {tried().get(name, 'nothing')}"
