"""``python -m benchmarks.studies.holding``: messages held at a steady rate, for as long as one likes.

A node with one worker holds every comment of one route and parks it. Told once a second: what was held, how much of it
control has not yet adopted (``lag``: the age of the oldest spooled message that has no case), what stands on disk, and
processor time of worker and control. Nobody decides, so that everything stays: the worst case of size.

    python -m benchmarks.studies.holding --rate 200 --seconds 600 > benchmarks/record/holding/DATE.json
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import aiohttp

from rig import node, process
from rig.ports import free_ports

CONNECTIONS: Final = 32
TEXT: Final = "一条普通的评论，大约三十个字，写给一篇普通的新闻，谢谢作者的分享"
CONFIG: Final = """
[server]
listen = "127.0.0.1:{gate}"
workers = 1
[control]
listen = "127.0.0.1:{control}"
[upstreams.platform]
servers = ["http://127.0.0.1:{platform}"]
[review]
key = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
on_cap = "reject"
waiting = 1000000
waiting_per_room = 1000000
waiting_per_sender = 1000
[policies.news]
appeal = "off"
rules = [{{ check = "review", action = "hold", on_error = "reject", ground = "agreement 1" }}]
[[routes]]
name = "news"
match = "POST /api/news/{{room}}/comments"
surface = "comment"
upstream = "platform"
policy = "news"
sender = "header:X-User-Id"
trust = ["127.0.0.0/8"]
text = "json:/content"
[routes.release]
match = "POST /internal/{{room}}/comments"
"""


async def load(port: int, rate: float, seconds: float, late: list[float]) -> int:
    """Comments at a steady rate; how many were held. Raises where one was answered otherwise."""
    held = 0
    began = time.perf_counter()
    count = round(rate * seconds)
    numbers = iter(range(count))

    async def person(session: aiohttp.ClientSession) -> None:
        nonlocal held
        for number in numbers:
            due = began + number / rate
            await asyncio.sleep(max(due - time.perf_counter(), 0))
            body = json.dumps({"content": f"{TEXT} {number}"}, ensure_ascii=False).encode()
            fields = {"X-User-Id": f"u{number % 50_000}", "Content-Type": "application/json"}
            url = f"http://127.0.0.1:{port}/api/news/{number % 500}/comments"
            async with session.post(url, data=body, headers=fields) as answer:
                if answer.status != 202:
                    raise RuntimeError(f"answered {answer.status}: {await answer.text()}")
            late.append(time.perf_counter() - due)
            held += 1

    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    async with aiohttp.ClientSession(connector=connector) as session:
        await asyncio.gather(*(person(session) for _ in range(CONNECTIONS)))
    return held


def spooled(data: Path) -> tuple[float, int]:
    """Age in seconds of the oldest spool that control has not taken over, and bytes of all."""
    now = time.time()
    oldest, size = 0.0, 0
    for path in (data / "park").rglob("*.spool"):
        try:
            told = path.stat()
        except FileNotFoundError:
            continue
        if told.st_size:
            oldest = max(oldest, now - told.st_mtime)
        size += told.st_size
    return oldest, size


def bytes_of(folder: Path, pattern: str) -> int:
    """Of all files of this pattern."""
    total = 0
    for path in folder.rglob(pattern):
        try:
            total += path.stat().st_size
        except FileNotFoundError:
            continue
    return total


async def watch(data: Path, control: int, pids: dict[str, int], held: list[float], over: asyncio.Event) -> list[Any]:
    """A row a second."""
    rows: list[Any] = []
    worker, control_pid = pids["worker-0"], pids["control"]
    began = time.perf_counter()
    async with aiohttp.ClientSession() as session:
        while not over.is_set():
            await asyncio.sleep(1.0)
            answered = len(held)
            async with session.get(f"http://127.0.0.1:{control}/metrics") as told:
                text = await told.text()
            known = sum(
                float(line.rpartition(" ")[2])
                for line in text.splitlines()
                if line.startswith("tidegate_held{") and 'state="held"' in line
            )
            age, size = spooled(data)
            rows.append(
                {
                    "at": round(time.perf_counter() - began, 1), "answered": answered, "adopted": int(known),
                    "oldest_spool_s": round(age, 2), "spool_bytes": size,
                    "database_bytes": bytes_of(data / "control", "*"), "journal_bytes": bytes_of(data / "journal", "*"),
                    "worker_s": round(process.cpu_seconds([worker]), 2),
                    "control_s": round(process.cpu_seconds([control_pid]), 2),
                    "control_bytes": process.resident_bytes([control_pid]),
                }
            )  # fmt: skip
    return rows


async def measured(data: Path, gate: int, control: int, rate: float, seconds: float) -> dict[str, Any]:
    """Load and look."""
    late: list[float] = []
    over = asyncio.Event()
    pids = await asyncio.to_thread(node.children, data)
    watching = asyncio.create_task(watch(data, control, pids, late, over))
    held = await load(gate, rate, seconds, late)
    ended = time.perf_counter()
    while True:  # until control has taken over the last one
        await asyncio.sleep(0.2)
        if watching.done() or time.perf_counter() - ended > 60:
            break
        if spooled(data)[1] == 0:
            break
    drained = time.perf_counter() - ended
    await asyncio.sleep(1.1)
    over.set()
    rows = await watching
    behind = [row["answered"] - row["adopted"] for row in rows]
    waits = statistics.quantiles(late, n=100)
    last = rows[-1]
    return {
        "rate": rate, "seconds": seconds, "held": held, "adopted": last["adopted"], "drained_s": round(drained, 2),
        "answer_ms": {"p50": round(waits[49] * 1e3, 2), "p99": round(waits[98] * 1e3, 2)},
        "lag_s": {
            "median": round(statistics.median(behind) / rate, 2), "longest": round(max(behind) / rate, 2),
        },
        "database_bytes_a_message": round(last["database_bytes"] / held),
        "journal_bytes_a_message": round(last["journal_bytes"] / held),
        "worker_us_a_message": round(last["worker_s"] / held * 1e6),
        "control_us_a_message": round(last["control_s"] / held * 1e6),
        "spool_bytes_at_most": max(row["spool_bytes"] for row in rows),
        "control_bytes_at_most": max(row["control_bytes"] for row in rows),
        "rows": rows[:: max(1, len(rows) // 60)],
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.studies.holding", description=__doc__)
    parser.add_argument("--rate", type=float, default=200.0, help="messages a second")
    parser.add_argument("--seconds", type=float, default=600.0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        gate, control, platform = free_ports(3)
        config = folder / "tidegate.toml"
        config.write_text(CONFIG.format(gate=gate, control=control, platform=platform), encoding="utf-8")
        argv = [sys.executable, "-m", "gateway", "run", "--config", str(config), "--data-dir", str(folder / "data")]
        with (folder / "log").open("wb") as log:
            run = process.start(argv, stdout=subprocess.PIPE, stderr=log, cwd=process.ROOT)
        try:
            if not node.wait_until_ready(run, 60, folder / "data"):
                raise RuntimeError((folder / "log").read_text()[-2000:])
            told = asyncio.run(measured(folder / "data", gate, control, asked.rate, asked.seconds))
        finally:
            process.stop(run, within=45)
    json.dump(told, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
