"""What the wiring itself decides."""

import asyncio

from structlog.testing import capture_logs

from gateway.app import _notice, take_failures
from gateway.http.address import parse_address
from gateway.http.sweep import Sweep
from gateway.http.upstream import Upstream
from gateway.http.upstream_settings import ServerSettings, UpstreamSettings
from gateway.metrics import METRICS, Counts


def test_a_server_that_rests_is_told_in_the_log() -> None:
    """The pool calls this from within a failing call: an exception here would strand its message."""
    with capture_logs() as told:
        _notice("platform", "ejected", "http://127.0.0.1:9000")
    assert told == [
        {
            "event": "upstream.health",
            "change": "ejected",
            "upstream": "platform",
            "server": "http://127.0.0.1:9000",
            "log_level": "warning",
        }
    ]


async def test_failures_of_an_upstream_are_counted_once_and_outlive_it() -> None:
    loop = asyncio.get_running_loop()
    settings = UpstreamSettings("platform", (ServerSettings(parse_address("http://127.0.0.1:9")),))
    sweep = Sweep(loop)
    upstream = Upstream(settings, loop, sweep)
    counts = Counts(METRICS["tidegate_upstream_failures_total"])
    key = ("platform", "http://127.0.0.1:9", "upstream.closed")
    for expected in (2, 4):
        upstream.failed(upstream.pools[0], "upstream.closed")
        upstream.failed(upstream.pools[0], "upstream.closed")
        take_failures(counts, "platform", upstream)
        take_failures(counts, "platform", upstream)
        assert counts.values == {key: expected}
    upstream.close()
    assert counts.told() == {"series": [[list(key), 4]]}
