"""``python -m benchmarks.studies.console``: every page of the console where a team has worked for long.

Makes a node (``console_node``) with 1,000,000 messages in its journal, indexed by the index's own process, and 100,000
cases in its control database; then asks every page as each role that may, twenty times and more, and each question of a
search as often, over HTTP, one after the other (``console_rounds``). Then fifty people log in and search at once while
an admin freezes rooms: told is how long until the act is acknowledged, and until a comment there is refused.

    python -m benchmarks.studies.console > benchmarks/record/console/DATE.json
    python -m benchmarks.studies.console --databases postgresql    needs tools/debian-packages postgres
    python -m benchmarks.studies.console --folder F                keeps the journal and the index for the next run
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import platform
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

import aiohttp
from aiohttp import web

from benchmarks.studies import console_node
from benchmarks.studies.console_node import CROWD, GROUNDS, Filled, NodePorts
from benchmarks.studies.console_rounds import WHY, Refused, Visitor, round_of
from gateway.control.access.roles import Role
from gateway.journal.write import ids
from rig import node
from rig.ports import free_ports
from rig.postgresql import Postgres

MOST_MS: Final = 200.0
SLOW: Final = (
    "LOGIN", "POST /password", "POST /people", "POST /people/{name}/password", "POST /lists/change",
    "POST /lists/draft in force", "POST /lists/draft over the record",
)  # fmt: skip
"""What hashes a password (a tenth of a second by design), compiles lists, or reads days of the journal."""
FREEZES: Final = 20
PAUSE: Final = 1.0  # seconds in which somebody of the crowd reads what was found; each tenth time they log in


def told(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


@contextlib.asynccontextmanager
async def a_platform(port: int) -> AsyncIterator[None]:
    """Takes everything."""

    async def takes(request: web.Request) -> web.Response:
        return web.json_response({"id": "p1"}, status=201 if request.method == "POST" else 200)

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", takes)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield
    finally:
        await runner.cleanup()


async def indexed(base: str) -> float:
    """Until the index has read the whole journal; seconds."""
    began = time.monotonic()
    async with aiohttp.ClientSession() as session:
        while True:
            async with session.get(f"{base}/metrics") as answer:
                lines = (await answer.text()).splitlines()
            values = {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if line[:1] not in "#"}
            behind = values.get("tidegate_index_behind_bytes")
            if behind == 0 and values.get("tidegate_index_bytes", 0):
                return time.monotonic() - began
            await asyncio.sleep(2)


async def pages(base: str, filled: Filled, rounds: int, pids: Sequence[int]) -> dict[str, Any]:
    """Milliseconds by page, of all roles together. ``pids``: whose processor time is told beside."""
    times: dict[str, list[float]] = {}
    used: dict[str, list[float]] = {}
    asked_by: dict[str, set[str]] = {}
    for role in Role:
        own: dict[str, list[float]] = {}
        visitor = Visitor(base, role.value, role, own, pids)
        try:
            await visitor.log_in()
            for number in range(rounds):
                await round_of(visitor, filled, number)
        finally:
            await visitor.close()
        for page, taken in own.items():
            times.setdefault(page, []).extend(taken)
            asked_by.setdefault(page, set()).add(role.value)
            used.setdefault(page, []).extend(visitor.used[page])
        late = {page: row for page, taken in own.items() if (row := figures(taken))["median_ms"] > MOST_MS / 2}
        told(f"{role.value}: {sum(map(len, own.values()))} pages; slow: {late}")
    return {
        page: figures(taken) | {"processor": figures(used[page]), "roles": sorted(asked_by[page])}
        for page, taken in sorted(times.items())
    }


def figures(taken: list[float]) -> dict[str, float | int]:
    """Of seconds, as milliseconds."""
    ordered = sorted(taken)
    p99 = ordered[min(len(ordered) - 1, -(-len(ordered) * 99 // 100) - 1)]
    return {
        "asked": len(ordered),
        "median_ms": round(statistics.median(ordered) * 1e3, 1),
        "p99_ms": round(p99 * 1e3, 1),
        "max_ms": round(ordered[-1] * 1e3, 1),
    }


async def frozen(base: str, gate: str, filled: Filled) -> dict[str, Any]:
    """Rooms are frozen while a crowd searches and logs in."""
    over = asyncio.Event()
    crowd: dict[str, list[float]] = {}
    busy = 0

    async def somebody(number: int) -> None:
        nonlocal busy
        visitor = Visitor(base, f"of-the-crowd-{number}", Role.REVIEWER, crowd)
        try:
            while not over.is_set():
                for at in range(10):
                    await asyncio.sleep(PAUSE)
                    try:
                        if at == 0:
                            await visitor.log_in()
                        one = filled.free[(number * 31 + at) % len(filled.free)]
                        await visitor("POST /messages", {"text": one.text[:2], "reason": WHY})
                    except Refused:  # 503: too many at once, as documented; they try again
                        busy += 1
        finally:
            await visitor.close()

    admin = Visitor(base, "admin", Role.ADMIN, {})
    acknowledged: list[float] = []
    refused: list[float] = []
    async with AsyncExitStack() as stack:
        stack.push_async_callback(admin.close)
        session = await stack.enter_async_context(aiohttp.ClientSession())
        await admin.log_in()
        people = [asyncio.create_task(somebody(number)) for number in range(CROWD)]
        try:
            await asyncio.sleep(5)
            for number in range(FREEZES):
                room = f"storm-{number}"
                await comment(session, gate, room)
                began = time.perf_counter()
                form = {"scope": "room", "room": room, "ground": GROUNDS[0], "reason": WHY}
                freezing = asyncio.create_task(admin("POST /rooms/freeze", form))
                while await comment(session, gate, room) != 403:
                    await asyncio.sleep(0.005)
                refused.append(time.perf_counter() - began)
                await freezing
                acknowledged.append(admin.times["POST /rooms/freeze"][-1])
        finally:
            over.set()
            await asyncio.gather(*people)
    return {
        "freezes": FREEZES, "people": CROWD, "pause_s": PAUSE,
        "acknowledged": figures(acknowledged), "refused": figures(refused),
        "searches": figures(crowd["POST /messages"]), "logins": figures(crowd["LOGIN"]), "told_busy": busy,
    }  # fmt: skip


async def comment(session: aiohttp.ClientSession, gate: str, room: str) -> int:
    """The status with which a comment is answered there."""
    fields = {"X-User-Id": "u1"}
    async with session.post(f"{gate}/api/articles/{room}/comments", json={"content": "你好"}, headers=fields) as answer:
        await answer.read()
        return answer.status


async def measured(folder: Path, url: str, asked: argparse.Namespace) -> dict[str, Any]:
    """All of it, on one database."""
    ports = NodePorts(*free_ports(3))
    written = await asyncio.to_thread(console_node.write_journal, folder, asked.messages, asked.cases)
    told(f"journal: {len(written)} of its messages are known")
    data = folder / "data"
    acts = data / "journal" / "node-0" / str(ids.CONTROL)  # of a run before this
    for path in (acts, *(data / name for name in ("control", "state", "generations", "artifacts", "park"))):
        shutil.rmtree(path, ignore_errors=True)
    for name in ("node.json", "salt", "salt.known"):
        (data / name).unlink(missing_ok=True)
    began = time.monotonic()
    filled = await asyncio.to_thread(console_node.fill, folder, url, written, asked.cases)
    told(f"database filled in {time.monotonic() - began:.0f} s")
    config = console_node.write_config(folder, ports, url)
    base, gate = f"http://127.0.0.1:{ports.control}", f"http://127.0.0.1:{ports.gate}"
    async with a_platform(ports.platform), _running(folder, config):
        told(f"indexed in {await indexed(base):.0f} s")
        children = await asyncio.to_thread(node.children, data)
        found = await pages(base, filled, asked.rounds, [children["control"], children["index"]])
        return {"pages": found, "freeze": await frozen(base, gate, filled)}


@contextlib.asynccontextmanager
async def _running(folder: Path, config: Path) -> AsyncIterator[None]:
    context = console_node.running(folder, config)
    await asyncio.to_thread(context.__enter__)
    try:
        yield
    finally:
        await asyncio.to_thread(context.__exit__, None, None, None)


def main() -> int:
    """Writes the record to standard output."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.studies.console", description=__doc__)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--databases", default="sqlite,postgresql")
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args()
    record: dict[str, Any] = {
        "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": {"processors": os.cpu_count(), "python": platform.python_version(), "kernel": platform.release()},
        "messages": asked.messages, "cases": asked.cases, "rounds": asked.rounds, "databases": {},
    }  # fmt: skip
    with contextlib.ExitStack() as stack:
        folder = asked.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        for name in asked.databases.split(","):
            told(f"— {name}")
            with contextlib.ExitStack() as own:
                url = own.enter_context(Postgres()).create("gate") if name == "postgresql" else ""
                record["databases"][name] = asyncio.run(measured(folder, url, asked))
    record["load_average"] = [round(one, 2) for one in os.getloadavg()]
    json.dump(record, sys.stdout, indent=1, ensure_ascii=False)
    late = {
        f"{name}: {page}": row["max_ms"]
        for name, one in record["databases"].items()
        for page, row in one["pages"].items()
        if row["p99_ms"] > MOST_MS and page not in SLOW
    }
    for page, most in late.items():
        told(f"slower than {MOST_MS:.0f} ms: {page}: {most} ms")
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main())
