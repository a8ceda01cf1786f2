"""``python tools/autobahn_run.py WSTEST``: the Autobahn|Testsuite against a gateway, and against the platform alone.

Needs ``wstest``, which runs on Python 2.7 (``pip install autobahntestsuite``), so the suite cannot be part of
``make test``; its cases are there as our own (``tests/e2e/test_autobahn_cases.py``). Cases 1 to 10: compression is
never negotiated. The platform is an echo server of the ``websockets`` library. Ends with exit code 1 where the relayed
route gives another result than the platform alone, or a judged route fails a case that it does not refuse by design.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.e2e import socketlab  # noqa: E402  # the path comes first

JUDGED = """
[[routes]]
name = "echo"
match = "GET /echo/{room}"
transport = "websocket"
surface = "group"
upstream = "platform"
policy = "open"
format = "text"
sender = "query:user"
trust = ["127.0.0.0/8"]
text = "text:"
optional_text = true
max_text = 300000
websocket = { max_frame = "512KiB", max_message = "512KiB", max_fragments = 10000, mute_after = "1000000/1s" }
"""
# On a text route binary frames are refused, and so is U+0000: the client gets a notice where the suite wants an echo.
BY_DESIGN = {*(f"1.2.{number}" for number in range(1, 9)), "6.7.1"}
GOOD = {"OK", "NON-STRICT", "INFORMATIONAL"}

Results = dict[str, str]


async def suite(wstest: str, folder: Path, agent: str, url: str, cases: list[str]) -> Results:
    """What the suite says of each case."""
    folder.mkdir()  # noqa: ASYNC240  # nothing else runs here
    spec = folder / "spec.json"
    server = {"agent": agent, "url": url, "options": {"version": 18}}
    spec.write_text(
        json.dumps({"outdir": str(folder), "servers": [server], "cases": cases, "exclude-cases": ["12.*", "13.*"]}),
        encoding="utf-8",
    )
    process = await asyncio.create_subprocess_exec(
        wstest, "-m", "fuzzingclient", "-s", str(spec), stdout=asyncio.subprocess.DEVNULL
    )
    async with asyncio.timeout(600):
        await process.wait()
    told = json.loads((folder / "index.json").read_text(encoding="utf-8"))[agent]
    return {case: result["behavior"] for case, result in told.items()}


def show(name: str, results: Results) -> set[str]:
    """Print it; returns the cases that are not good."""
    bad = {case for case, behavior in results.items() if behavior not in GOOD}
    print(f"{name}: {len(results)} cases, {len(results) - len(bad)} good; others: {', '.join(sorted(bad)) or 'none'}")
    return bad


async def run(wstest: str) -> int:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        async with socketlab.socket_lab(folder, more=JUDGED, largest=1 << 25) as lab:
            gateway, platform = (f"ws://127.0.0.1:{port}" for port in (lab.node.port, lab.platform.port))
            alone = await suite(wstest, folder / "alone", "alone", f"{platform}/raw", ["*"])
            relayed = await suite(wstest, folder / "relayed", "relayed", f"{gateway}/raw", ["*"])
            small = ["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "10.*"]  # 9.*: larger than the route's bounds
            judged = await suite(wstest, folder / "judged", "judged", f"{gateway}/echo/1?user=alice", small)
    bad = show("the platform alone", alone)
    differs = show("relayed", relayed) ^ bad
    failed = show("judged", judged) - BY_DESIGN - bad
    return 1 if differs or failed else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(asyncio.run(run(sys.argv[1])))
