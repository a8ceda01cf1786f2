"""A node broken in many ways, one after the other: which alerts fire then, and does the runbook lead to the cause?

Each break says what it expects. The alerts' ``for`` is left out, so that nothing waits. What leads: an event that the
alert's section of the runbook names, and that the node has said since; or what ``/readyz`` says; or a command. The
clock of the node is libfaketime's (Debian: faketime), the journal's disk a small tmpfs (needs root); without either
one, its breaks are passed over, and said.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import subprocess
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from typing import Final, NamedTuple

from tests.certificates import make
from tools.watch.expressions import ROOT
from tools.watch.gate import Gate
from tools.watch.prometheus import Prometheus

JOURNAL: Final = """[journal]
dir = "{disk}/journal"
low_disk = "16MiB"
full_disk = "2MiB"
segment_size = "1MiB"

[mirror]"""
WITHIN: Final = 60.0  # seconds
DISK: Final = 48 << 20
LIBRARY: Final = Path(f"/usr/lib/{os.uname().machine}-linux-gnu/faketime/libfaketimeMT.so.1")
SECTIONS: Final = re.split(
    r"^## (\w+)\n", (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8"), flags=re.MULTILINE
)
RUNBOOK: Final = dict(zip(SECTIONS[1::2], SECTIONS[2::2], strict=True))


class Break(NamedTuple):
    """``during``: a context in which it is broken; what was done is undone behind it."""

    name: str
    expected: frozenset[str]
    during: Callable[[Gate], contextlib.AbstractAsyncContextManager[None]]


BREAKS: list[Break] = []


def broken(name: str, *expected: str) -> Callable[[Callable[[Gate], AsyncIterator[None]]], None]:
    """Make a row of a generator."""

    def add(made: Callable[[Gate], AsyncIterator[None]]) -> None:
        BREAKS.append(Break(name, frozenset(expected), contextlib.asynccontextmanager(made)))

    return add


@contextlib.asynccontextmanager
async def stopped(gate: Gate, name: str) -> AsyncIterator[None]:
    """A process stands still."""
    pid = (await gate.node.pids(name))[name]
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@broken("certificate with a day to go", "TidegateCertificateExpires", "TidegateCertificateExpiresSoon")
async def certificate(gate: Gate) -> AsyncIterator[None]:
    make(gate.folder, "localhost", days=1)
    yield
    make(gate.folder, "localhost", days=90)


@broken("reload with a list that was emptied", "TidegateReloadRefused")
async def lists(gate: Gate) -> AsyncIterator[None]:
    path = gate.folder / "lists" / "spam.txt"
    kept = path.read_bytes()
    path.write_bytes(b"")
    await gate.act("POST", "/v1/reload")
    yield
    path.write_bytes(kept)
    await gate.act("POST", "/v1/reload")


@broken("one server of two gone", "TidegateUpstreamServerOut")
async def one_server(gate: Gate) -> AsyncIterator[None]:
    enough = asyncio.Event()

    async def ask() -> None:
        while not enough.is_set():
            await gate.node.ask("GET", "/gone/1")
            await asyncio.sleep(0.05)

    asking = asyncio.create_task(ask())
    yield
    enough.set()
    await asking


@broken("platform gone, a takedown asked for", "TidegateUpstreamFails", "TidegateTakedownUnconfirmed")
async def platform(gate: Gate) -> AsyncIterator[None]:
    answer = await gate.comment("alice", "to be taken down")
    gate.close_platform()
    told = await gate.act("POST", "/v1/takedowns", id=answer.headers["tidegate-message-id"], ground="agreement 3.1")
    assert told.status == 202, told
    yield
    gate.open_platform()


@broken("a row of state deleted", "TidegateStateLost")
async def state_row(gate: Gate) -> AsyncIterator[None]:
    await gate.act("POST", "/v1/blocks", scope="sender", value="mallory", ground="agreement 6.1")
    gate.forget("mallory")
    yield


@broken(
    "state server stands still, a block given",
    "TidegateStateAway",
    "TidegateDegraded",
    "TidegateActsWait",
    "TidegateNotReady",
)
async def state(gate: Gate) -> AsyncIterator[None]:
    async with stopped(gate, "state"):
        await gate.act("POST", "/v1/blocks", scope="sender", value="u199", ground="agreement 6.1")
        yield


@broken("a worker stands still", "TidegateWorkersMissing")
async def silent_worker(gate: Gate) -> AsyncIterator[None]:
    async with stopped(gate, "worker-1"):
        yield


@broken("a worker killed again and again", "TidegateProcessRestarts", "TidegateOutcomesUnknown")
async def worker(gate: Gate) -> AsyncIterator[None]:
    await killed(gate, "worker-0", 4)
    yield


@broken("the projector killed again and again", "TidegateProcessRestarts")
async def projector(gate: Gate) -> AsyncIterator[None]:
    await killed(gate, "projector", 4)
    yield


async def killed(gate: Gate, name: str, times: int) -> None:
    before = 0
    for _ in range(times):
        async with asyncio.timeout(30):
            while (pid := (await gate.node.pids(name)).get(name, before)) == before:
                await asyncio.sleep(0.1)
        before = pid
        await asyncio.sleep(1.5)
        os.kill(pid, signal.SIGKILL)


@broken("the projector stands still", "TidegateMirrorLags", "TidegateBulletsRefused")
async def silent_projector(gate: Gate) -> AsyncIterator[None]:
    async with stopped(gate, "projector"):
        yield


@broken("control stands still", "TidegateDown")
async def control(gate: Gate) -> AsyncIterator[None]:
    async with stopped(gate, "control"):
        yield


@broken("a segment of the journal removed", "TidegateJournalTampered")
async def segment(gate: Gate) -> AsyncIterator[None]:
    await gate.talk(1)
    journal = gate.folder / "disk" / "journal"
    max(journal.glob("*/[01]/*.jsonl"), key=lambda path: path.stat().st_mtime).unlink()  # of one of the two workers
    yield


@broken("the journal's disk nearly full", "TidegateJournalDiskLow")
async def low(gate: Gate) -> AsyncIterator[None]:
    with ballast(gate, 6 << 20):
        yield


@broken("the journal's disk full", "TidegateJournalUnavailable", "TidegateJournalDiskLow", "TidegateNotReady")
async def full(gate: Gate) -> AsyncIterator[None]:
    with ballast(gate, 0):
        yield


@contextlib.contextmanager
def ballast(gate: Gate, leave: int) -> Iterable[None]:  # type: ignore[misc]
    path = gate.folder / "disk" / "ballast"
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while (room := os.statvfs(path.parent).f_bavail * os.statvfs(path.parent).f_frsize - leave) > 0:
            file.write(bytes(min(room, 1 << 20)))
    try:
        yield
    finally:
        path.unlink()


@broken("the journal's folder read-only", "TidegateJournalUnavailable", "TidegateJournalWritesFail", "TidegateNotReady")
async def read_only(gate: Gate) -> AsyncIterator[None]:
    journal = gate.folder / "disk" / "journal"
    mounted("--bind", journal, journal)
    mounted("-o", "remount,bind,ro", journal)
    try:
        yield
    finally:
        unmounted(journal)


def mounted(*how: str | Path) -> bool:
    return subprocess.run(["mount", *how], check=False).returncode == 0


def unmounted(place: Path) -> None:
    subprocess.run(["umount", "-l", place], check=False)


@broken("the clock an hour ahead", "TidegateClockSet")
async def clock(gate: Gate) -> AsyncIterator[None]:
    (gate.folder / "offset").write_text("+3600")
    yield


def leads(gate: Gate, said: int, ready: str, alerts: Iterable[str]) -> dict[str, str]:
    """By alert: what its section of the runbook names of what the node says."""
    log = gate.node.told(everything=True)[said:]
    events = {json.loads(line)["event"] for line in log.splitlines() if line.startswith("{")}
    found = {}
    for alert in alerts:
        section = RUNBOOK[alert]
        section += "".join(RUNBOOK[other] for other in re.findall(r"\[(Tidegate\w+)\]\(#", section))
        named = [event for event in re.findall(r"`([a-z_]+\.[a-z_]+)`", section) if event in events]
        found[alert] = ", ".join(dict.fromkeys(named)) or ("/readyz" if "/readyz" in section and ready else "")
        commands = re.findall(r"`(tidegate (?:status|takedowns list|config check)|systemctl status)", section)
        found[alert] = found[alert] or ", ".join(dict.fromkeys(commands))
    return found


async def one(gate: Gate, watcher: Prometheus, row: Break) -> bool:
    """Break it, and wait for its alerts."""
    loop = asyncio.get_running_loop()
    before = await asyncio.to_thread(watcher.firing)
    said = len(gate.node.told(everything=True))
    enough = asyncio.Event()
    talking = asyncio.create_task(gate.talk(10 * WITHIN, enough=enough))
    began = loop.time()
    firing: set[str] = set()
    ready = ""
    try:
        async with row.during(gate):
            while loop.time() < began + WITHIN and not row.expected <= (
                firing := await asyncio.to_thread(watcher.firing)
            ):
                await asyncio.sleep(0.5)
            with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
                checks = (await asyncio.wait_for(gate.node.manage("GET", "/readyz"), 5)).json()["checks"]
                ready = ", ".join(f"{name}: {check['detail']}" for name, check in checks.items() if check["detail"])
            found = leads(gate, said, ready, row.expected)
    finally:
        enough.set()
        await talking
    missing = row.expected - firing
    blind = [alert for alert, lead in found.items() if not lead]
    print(f"{'well' if not missing and not blind else 'ILL '} {row.name}: after {loop.time() - began:.0f} s")
    for alert in sorted(row.expected):
        known = " (it fired before)" if alert in before else ""
        fires = "fires" if alert in firing else "DOES NOT FIRE"
        print(f"     {alert}: {fires}{known}; leads: {found[alert] or 'NOTHING'}")
    others = firing - row.expected - before
    print(f"     also: {', '.join(sorted(others)) or 'nothing'}; /readyz: {ready or 'nothing'}", flush=True)
    return not missing and not blind


async def run(folder: Path, *names: str) -> bool:
    """All of them, or those of these names: the clock on a node of its own, under libfaketime."""
    chosen = [row for row in BREAKS if not names or row.name in names]
    well = True
    for number, faked in enumerate((False, True)):
        rows = [row for row in chosen if ("clock" in row.name) == faked]
        if faked and rows and not LIBRARY.exists():
            print("passed over, for want of faketime: the clock")
        elif rows:
            place = folder / str(number)
            place.mkdir()
            well = await on_one_node(place, rows, faked) and well
    return well


async def on_one_node(folder: Path, rows: list[Break], faked: bool) -> bool:
    disk = folder / "disk"
    disk.mkdir()
    small = os.geteuid() == 0 and mounted("-t", "tmpfs", "-o", f"size={DISK}", "tidegate-watch", disk)
    journal = (
        f'[journal]\ndir = "{disk}/journal"\nlow_disk = "16MiB"\nfull_disk = "2MiB"\nsegment_size = "1MiB"\n\n[mirror]'
    )
    gate = Gate(folder, settings={"[mirror]": journal})
    watcher = Prometheus(folder, gate.target, quick=True)
    environment = {
        "LD_PRELOAD": str(LIBRARY), "FAKETIME_TIMESTAMP_FILE": str(folder / "offset"), "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1",
    } if faked else {}  # fmt: skip
    (folder / "offset").write_text("+0")
    well = True
    try:
        os.environ |= environment
        try:
            await gate.start()
        finally:
            for name in environment:
                del os.environ[name]
        await asyncio.to_thread(watcher.start)
        async with asyncio.timeout(WITHIN):  # what rises must have been seen before it does
            while not await asyncio.to_thread(watcher.ask, "count_over_time(tidegate_workers[1m]) > 1"):
                await gate.talk(1)
        for row in rows:
            if row.name.startswith("the journal") and not small:
                print(f"passed over, for want of root: {row.name}")
                continue
            well = await one(gate, watcher, row) and well
            await gate.talk(3)
    finally:
        watcher.stop()
        await gate.stop()
        if small:
            unmounted(disk)
    return well
