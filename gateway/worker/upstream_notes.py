"""What a worker tells of its upstreams: a server that is left out or back, what failed, and how often."""

from __future__ import annotations

import structlog

from gateway.common.metrics import Counts
from gateway.http.upstream.upstream import Upstream

log = structlog.get_logger()


def take_failures(counts: Counts, name: str, upstream: Upstream) -> None:
    """Move what an upstream counted to the metrics, where it outlives a reload that takes the upstream away."""
    for (server, reason), number in upstream.failures.items():
        counts.add((name, server, reason), number)
    upstream.failures.clear()


def changed(upstream: str, event: str, server: str) -> None:
    log.warning("upstream.health", upstream=upstream, change=event, server=server)


def failed(upstream: str, server: str, reason: str, detail: str, count: int) -> None:
    log.warning("upstream.failed", upstream=upstream, server=server, reason=reason, detail=detail, count=count)
