"""The boards of Grafana: written from the table, both languages alike, and asking for what exists."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.test_alerts import asks_for_what_exists, labels
from tools.watch import boards, expressions
from tools.watch.boards import FOLDER, LANGUAGES, ROOT
from tools.watch.panels import BOARDS, Board

FILES = sorted(FOLDER.rglob("*.json"))


def test_what_is_here_is_what_the_table_writes() -> None:
    written = dict(boards.written())
    assert sorted(written) == FILES
    assert [path.name for path in FILES if path.read_text(encoding="utf-8") != written[path]] == [], "make reference"


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.name)
def test_every_expression_asks_for_what_exists(board: Board) -> None:
    for panel in board.panels:
        for expression, legend in panel.asks.items():
            asks_for_what_exists(expression.replace("$__rate_interval", "5m"))
            shown = set(re.findall(r"\{\{(\w+)\}\}", legend))
            known = set().union(*(labels(one.name) for one in expressions.selectors(expression)))
            assert shown <= known, expression
    for question in board.variables.values():
        name, label = re.fullmatch(r"label_values\((\w+), (\w+)\)", question).groups()  # type: ignore[union-attr]
        assert label in labels(name)


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.name)
def test_both_languages_say_the_same_of_the_same(board: Board) -> None:
    english, chinese = (boards.made(board, language) for language in LANGUAGES)
    assert english["uid"] != chinese["uid"]
    for one, other in zip(english["panels"], chinese["panels"], strict=True):
        for key in ("title", "description"):
            assert re.search("[一-鿿]", other[key]), other[key]
            assert not re.search("[一-鿿]", one[key]), one[key]
            assert one[key].endswith(".") == other[key].endswith(("。", "．")) or "?" in one[key], one[key]
        kept = {key: value for key, value in one.items() if key not in {"title", "description"}}
        assert kept == {key: value for key, value in other.items() if key not in {"title", "description"}}


def test_panels_lie_beside_each_other_and_have_one_number_each() -> None:
    for path in FILES:
        board: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        taken: set[tuple[int, int]] = set()
        assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
        for panel in board["panels"]:
            place = panel["gridPos"]
            cells = {(x, place["y"]) for x in range(place["x"], place["x"] + place["w"])}
            assert not cells & taken
            assert max(x for x, _ in cells) < boards.COLUMNS
            taken |= cells
            assert {target["datasource"]["uid"] for target in panel["targets"]} == {"${datasource}"}


def test_what_is_provisioned_is_here() -> None:
    folder = ROOT / "deploy" / "grafana" / "provisioning"
    providers = yaml.safe_load((folder / "dashboards" / "tidegate.yml").read_text(encoding="utf-8"))["providers"]
    assert sorted(Path(one["options"]["path"]).name for one in providers) == sorted(
        path.name for path in FOLDER.iterdir()
    )
    sources = yaml.safe_load((folder / "datasources" / "prometheus.yml").read_text(encoding="utf-8"))["datasources"]
    assert [one["type"] for one in sources] == ["prometheus"]
    scraped = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text(encoding="utf-8"))
    assert sources[0]["jsonData"]["timeInterval"] == scraped["global"]["scrape_interval"]
