"""The boards of Grafana as JSON, each in English and Chinese, from the table in ``panels.py``.

Written by ``make reference`` into ``deploy/grafana/boards``. What is left out of the JSON is Grafana's default.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Literal

from tools.watch.panels import BOARDS, Board, Panel

ROOT: Final = Path(__file__).resolve().parents[2]
FOLDER: Final = ROOT / "deploy" / "grafana" / "boards"
SCHEMA: Final = 39  # of Grafana 10.4, which later ones read
COLUMNS: Final = 24
HEIGHT: Final = 8
Language = Literal["en", "zh"]
LANGUAGES: Final[tuple[Language, ...]] = ("en", "zh")
SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
WORDS: Final[dict[str, dict[Language, str]]] = {
    "datasource": {"en": "Data source", "zh": "数据源"},
    "instance": {"en": "Node", "zh": "节点"},
    "route": {"en": "Route", "zh": "路由"},
    "firing": {"en": "Alerts", "zh": "告警"},
}


def written() -> Iterator[tuple[Path, str]]:
    """Every file with its text."""
    for board in BOARDS:
        for language in LANGUAGES:
            text = json.dumps(made(board, language), ensure_ascii=False, indent=1)
            yield FOLDER / language / f"{board.name}.json", text + "\n"


def made(board: Board, language: Language) -> dict[str, Any]:
    """One board in one language."""
    panels: list[dict[str, Any]] = []
    x = y = 0
    for number, panel in enumerate(board.panels, 1):
        if x + panel.width > COLUMNS:
            x, y = 0, y + HEIGHT
        panels.append(_panel(panel, number, language) | {"gridPos": {"h": HEIGHT, "w": panel.width, "x": x, "y": y}})
        x += panel.width
    return {
        "uid": f"tidegate-{board.name}-{language}",
        "title": board.title[language],
        "tags": ["tidegate", language],
        "schemaVersion": SCHEMA,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "timezone": "browser",
        "annotations": {
            "list": [
                {
                    "name": WORDS["firing"][language],
                    "datasource": SOURCE,
                    "enable": True,
                    "iconColor": "red",
                    "expr": 'ALERTS{alertname=~"Tidegate.*", alertstate="firing", instance=~"$instance|"}',
                    "titleFormat": "{{alertname}}",
                    "textFormat": "{{instance}}",
                    "tagKeys": "severity",
                }
            ]
        },
        "links": [
            {
                "type": "dashboards",
                "title": "Tidegate",
                "tags": ["tidegate", language],
                "keepTime": True,
                "includeVars": True,
            }
        ],
        "templating": {"list": _variables(board, language)},
        "panels": panels,
    }


def _variables(board: Board, language: Language) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"name": "datasource", "label": WORDS["datasource"][language], "type": "datasource", "query": "prometheus"}
    ]
    for name, question in board.variables.items():
        found.append(
            {
                "name": name,
                "label": WORDS[name][language],
                "type": "query",
                "datasource": SOURCE,
                "query": {"query": question, "refId": name},
                "definition": question,
                "refresh": 2,
                "sort": 1,
                "multi": True,
                "includeAll": True,
                "allValue": ".*",
                "current": {"text": ["All"], "value": ["$__all"]},
            }
        )
    return found


def _panel(panel: Panel, number: int, language: Language) -> dict[str, Any]:
    defaults: dict[str, Any] = {"unit": panel.unit}
    if panel.kind == "timeseries":
        defaults["custom"] = {"fillOpacity": 30 if panel.stacked else 5, "showPoints": "never"}
        if panel.stacked:
            defaults["custom"]["stacking"] = {"mode": "normal", "group": "A"}
        defaults["min"] = 0
    if panel.bad is not None:
        steps = [{"color": "green", "value": None}, {"color": "red", "value": panel.bad}]
        if panel.well_from:
            steps = [{"color": "red", "value": None}, {"color": "green", "value": panel.bad}]
        defaults["thresholds"] = {"mode": "absolute", "steps": steps}
        if panel.kind == "timeseries":
            defaults["custom"]["thresholdsStyle"] = {"mode": "dashed"}
    options: dict[str, Any] = {}
    if panel.kind == "timeseries":
        options = {
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
            "tooltip": {"mode": "multi", "sort": "desc"},
        }
    elif panel.kind == "stat":
        options = {"reduceOptions": {"calcs": ["lastNotNull"]}, "colorMode": "value", "graphMode": "area"}
    table = panel.kind == "table"
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title[language],
        "description": panel.meaning[language],
        "datasource": SOURCE,
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": options,
        "targets": [
            {
                "refId": chr(ord("A") + place),
                "datasource": SOURCE,
                "expr": expression,
                "legendFormat": legend,
                "instant": table,
                "range": not table,
                "format": "table" if table else "time_series",
            }
            for place, (expression, legend) in enumerate(panel.asks.items())
        ],
    }
