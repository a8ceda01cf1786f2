"""A worker's tracer, from the configuration; and who is told when a request has its answer."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from gateway.config import Config
from gateway.http.server.router import Router
from gateway.judging.route import Target
from gateway.judging.tracer import Tracer
from gateway.tracing.sampling import share
from gateway.tracing.trace import Finished

if TYPE_CHECKING:
    from gateway.http.server.exchange import Exchange
    from gateway.http.server.server import Ended

MOST = 256
"""Traces in one answer: some 1,000 spans, 300 KiB."""

Answered = Callable[["Exchange", "Ended"], None]


def tracer(config: Config, finished: Finished, router: Router[Target], paths: Mapping[str, str]) -> Tracer | None:
    """None where nothing is traced."""
    section = config.traces
    if section is None or os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return None
    sampled = share(section.sample, os.environ)
    return Tracer(finished, sampled, section.parents, config.server.request_ids, router, paths)


def named(config: Config) -> bool | None:
    """See ``Gate.traces``."""
    return config.server.request_ids if config.server.traces or config.traces is not None else None


def both(first: Answered | None, second: Answered | None) -> Answered | None:
    """Who is to hear of answers, where there may be two."""
    if first is None or second is None:
        return first or second

    def answered(exchange: Exchange, ended: Ended) -> None:
        first(exchange, ended)
        second(exchange, ended)

    return answered


def told(finished: Finished, command: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to the command ``spans``: of at most ``most`` traces."""
    return {"ok": True, "spans": finished.take(min(int(command["most"]), MOST))}
