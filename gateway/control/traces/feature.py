"""Traces, as control knows them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from gateway.common.folders import Folders
from gateway.control.calls.feature import Feature, Surroundings
from gateway.control.traces.span_queue import Sender, Tracing


def opened(surroundings: Surroundings) -> Sequence[object]:
    """Asking the workers and exporting, while the configuration in force has ``[traces]``."""

    def wanted() -> int:
        section = surroundings.current().config.traces
        disabled = os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
        return section.queue if section is not None and not disabled else 0

    def made() -> Sender:
        from gateway.control.traces.exporter import Exporter  # late: half a second, and nobody else needs it

        return Exporter(version("tidegate"), f"node-{surroundings.config.server.node}")

    return (Tracing(lambda: sockets(surroundings.folders), wanted, made),)


def sockets(folders: Folders) -> Mapping[str, Path]:
    """Sockets of the workers that there are, by name."""
    found = (path for path in folders.run.glob("worker-*.sock") if path.stem.removeprefix("worker-").isdigit())
    return {path.stem: path for path in sorted(found)}


TRACES = Feature(endpoints=(), opened=opened)
