"""The rules of ``deploy/prometheus`` as the Prometheus operator reads them. Written by ``make reference``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import yaml

from tools.watch.expressions import ALERTS, RECORDING, ROOT

FILE: Final = ROOT / "deploy" / "kubernetes" / "components" / "monitoring" / "prometheusrule.yaml"
HEAD: Final = "# Written from deploy/prometheus by `make reference`: change recording.yml and alerts.yml there.\n"


def written() -> Iterator[tuple[Path, str]]:
    """The file with its text."""
    groups = [
        group
        for path in (RECORDING, ALERTS)
        for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]
    ]  # fmt: skip
    resource = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "tidegate"},
        "spec": {"groups": groups},
    }
    yield FILE, HEAD + yaml.safe_dump(resource, allow_unicode=True, sort_keys=False, width=120)
