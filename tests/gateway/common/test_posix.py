"""A process is told to stop, and stops by itself; the limit on open files, tried in a process of its own."""

import asyncio
import json
import signal
import subprocess
import sys

import pytest

from gateway.common.posix import on_stop

TRY = """
import json, resource, structlog
from structlog.testing import capture_logs
from gateway.common.posix import raise_limit
resource.setrlimit(resource.RLIMIT_NOFILE, (256, 1000))
with capture_logs() as logs:
    told = raise_limit({connections})
print(json.dumps([told, resource.getrlimit(resource.RLIMIT_NOFILE), [log["event"] for log in logs]]))
"""


@pytest.mark.parametrize(("connections", "warned"), [(100, []), (1000, ["descriptors.few"])])
def test_the_limit_is_raised_as_far_as_it_goes(connections, warned):
    ran = subprocess.run(
        [sys.executable, "-c", TRY.format(connections=connections)], stdout=subprocess.PIPE, check=True, timeout=30
    )
    assert json.loads(ran.stdout.splitlines()[-1]) == [1000, [1000, 1000], warned]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_whoever_stops_it_is_heard(number: signal.Signals) -> None:
    told = asyncio.Event()
    on_stop(told.set)
    signal.raise_signal(number)
    async with asyncio.timeout(5):
        await told.wait()
