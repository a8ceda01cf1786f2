"""``python tools/faults_run.py [clock|folder]``: a real gateway under a clock that is set, and with its journal taken.

The clock is set by libfaketime (Debian: ``faketime``), for every process of the demo and its state server, and never
the machine's own: by an hour back, by an hour ahead for five seconds, by 400 days at one start, by an hour while state
is emptied and the gateway started again. The folder is removed, replaced, moved away, emptied, truncated and made
read-only (needs root) under load. Prints what was seen of each, and ends with exit code 1 where a record was lost that
was answered, or service did not come back within ten seconds.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from gateway.commands.journal import verification  # noqa: E402  # the path comes first
from rig.ports import free_port  # noqa: E402
from tests.e2e import node as nodes  # noqa: E402
from tests.e2e.node import Answer, Node  # noqa: E402

LIBRARY = "/usr/lib/{}-linux-gnu/faketime/libfaketimeMT.so.1"
WELL = 10.0  # seconds within which service is back
DAY = 86_400
nodes.START_WITHIN = 240.0  # a machine may be busy
COMMENT, BULLET = "/api/articles/1/comments", "/api/videos/7/danmaku"


class Told(NamedTuple):
    """One answer: when it was asked for (seconds of this program's own clock), where, and what it was."""

    at: float
    path: str
    answer: Answer

    @property
    def well(self) -> bool:
        return self.answer.status == 201

    @property
    def why(self) -> str:
        return "" if self.well else str(self.answer.json().get("reason", self.answer.status))


class Gate:
    """The demo in a folder of its own, spoken to by as many people as it takes for no limit to matter."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.people: Iterator[str] = (f"u{1 + number % 200}" for number in itertools.count())
        self.told: list[Told] = []
        self.node: Node | None = None

    @property
    def journal(self) -> Path:
        return self.folder / "data" / "journal"

    async def start(self) -> None:
        ports = free_port(), free_port(), free_port()
        listen, control, platform = (f"127.0.0.1:{port}" for port in ports)
        self.node = await Node(
            self.folder / "data", "demo", "--listen", listen, "--control", control, "--platform", platform,
            port=ports[0], control_port=ports[1],
        ).start()  # fmt: skip

    async def stop(self) -> None:
        if self.node is not None:
            await self.node.stop()
            self.node = None

    async def ask(self, path: str) -> Told:
        assert self.node is not None
        at = asyncio.get_running_loop().time()
        told = Told(at, path, await self.node.say(next(self.people), "hello there", path))
        self.told.append(told)
        return told

    async def talk(self, seconds: float, pause: float = 0.1) -> list[Told]:
        """A comment and a bullet again and again."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        seen = []
        while loop.time() < until:
            seen += [await self.ask(COMMENT), await self.ask(BULLET)]
            await asyncio.sleep(pause)
        return seen

    async def readyz(self) -> str:
        assert self.node is not None
        answer = await self.node.manage("GET", "/readyz")
        checks = answer.json()["checks"]
        said = [f"{name}: {check['detail']}" for name, check in checks.items() if check["detail"]]
        return f"{answer.status}, {'; '.join(one for one in said if 'MiB' not in one) or 'nothing'}"

    def answered(self) -> set[str]:
        return {told.answer.headers["tidegate-message-id"] for told in self.told if told.well}

    def recorded(self, *roots: Path) -> set[str]:
        found = b"".join(path.read_bytes() for root in roots for path in sorted(root.rglob("*.jsonl")))
        return {one for one in self.answered() if f'"id":"{one}"'.encode() in found}


def back_after(seen: list[Told]) -> float:
    """Seconds from the first of these answers to the last that was not well."""
    bad = [told.at for told in seen if not told.well]
    return max(bad) - seen[0].at if bad else 0.0


def missing_for(seen: list[Told]) -> float:
    """The longest time in a row in which facts of state were missing."""
    longest = since = 0.0
    for told in seen:
        if told.why.endswith(("unavailable", "state.epoch")):
            since = since or told.at
            longest = max(longest, told.at - since)
        else:
            since = 0.0
    return longest


async def clock(folder: Path) -> bool:
    offset = folder / "offset"
    library = LIBRARY.format(os.uname().machine)
    if not Path(library).exists():  # noqa: ASYNC240  # nothing else runs here
        sys.exit(f"{library} is not there: apt-get install faketime")
    offset.write_text("+0")
    os.environ |= {
        "LD_PRELOAD": library,
        "FAKETIME_TIMESTAMP_FILE": str(offset),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "NO_FAKE_STAT": "1",
    }
    gate = Gate(folder)
    well = True

    async def trial(name: str, step: Callable[[], Awaitable[list[Told]]]) -> None:
        nonlocal well
        seen = await step()
        back, missing = back_after(seen), missing_for(seen)
        early = len(gate.answered() - gate.recorded(gate.journal))
        reasons = sorted({told.why for told in seen if not told.well})
        longest = max((int(told.answer.headers.get("retry-after", 0)) for told in seen), default=0)
        print(
            f"{name}: records pruned early: {early} of {len(gate.answered())}, facts missing {missing:.1f} s, service "
            f"back after {back:.1f} s ({len(seen)} answers; {', '.join(reasons) or 'all well'}; longest Retry-After "
            f"{longest} s)\n    readyz: {await gate.readyz()}",
            flush=True,
        )
        well = well and not early and back <= WELL

    async def set_to(seconds: int, then: float) -> list[Told]:
        offset.write_text(f"{seconds:+d}")
        return await gate.talk(then)

    async def for_a_moment() -> list[Told]:
        return await set_to(3600, 5) + await set_to(0, 15)

    async def started_at(seconds: int, emptied: bool = False) -> list[Told]:
        await gate.stop()
        if emptied:
            shutil.rmtree(folder / "data" / "state")
        offset.write_text(f"{seconds:+d}")
        await gate.start()
        seen = await gate.talk(5)
        await gate.stop()
        offset.write_text("+0")
        await gate.start()
        return seen + await gate.talk(10)

    try:
        await gate.start()
        await trial("no step", lambda: set_to(0, 10))
        await trial("-1 h", lambda: set_to(-3600, 20))
        await trial("and right again", lambda: set_to(0, 15))
        await trial("+1 h for 5 s", for_a_moment)
        for days in (-400, 400):
            await trial(f"{days:+d} d at one start", lambda days=days: started_at(days * DAY))  # type: ignore[misc]
        for hours in (-1, 1):
            step = 3600 * hours
            await trial(f"state emptied, started at {hours:+d} h", lambda step=step: started_at(step, emptied=True))  # type: ignore[misc]
    finally:
        await gate.stop()
    verified(gate.journal)
    return well


def verified(journal: Path) -> None:
    report = verification.verify(journal)
    print(
        f"verify: {report.records} records, {len(report.unclean)} unclean stops, {report.leaps} leaps, "
        f"{len(report.problems)} problems {sorted({problem.code for problem in report.problems}) or ''}"
    )


def remount(journal: Path, read_only: bool) -> None:
    if read_only:
        subprocess.run(["mount", "--bind", journal, journal], check=True)
        subprocess.run(["mount", "-o", "remount,bind,ro", journal], check=True)
    else:
        subprocess.run(["umount", "-l", journal], check=True)


def emptied(journal: Path) -> None:
    for segment in journal.rglob("*.jsonl"):
        segment.unlink()


def cut(journal: Path) -> None:
    for segment in journal.rglob("*.jsonl"):
        os.truncate(segment, segment.stat().st_size // 2)


def replaced(journal: Path) -> None:
    journal.rename(journal.with_name("aside"))
    journal.mkdir()


def nothing(journal: Path) -> None:
    pass


Act = Callable[[Path], object]
TAKEN: dict[str, tuple[Act, Act]] = {
    "removed, put there after 5 s": (shutil.rmtree, lambda journal: journal.mkdir()),
    "everything in it removed": (lambda journal: [shutil.rmtree(one) for one in journal.iterdir()], nothing),
    "*.jsonl removed": (emptied, nothing),
    "replaced by an empty one": (replaced, nothing),
    "moved away, and back after 5 s": (
        lambda journal: journal.rename(journal.with_name("aside")),
        lambda journal: journal.with_name("aside").rename(journal),
    ),
    "segments cut in half": (cut, nothing),
    "read-only for 5 s": (lambda journal: remount(journal, True), lambda journal: remount(journal, False)),
}


async def taken(folder: Path, name: str, take: Act, give_back: Act) -> bool:
    gate = Gate(folder)
    await gate.start()
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()

    async def chat() -> None:
        while not stop.is_set():
            await gate.ask(COMMENT)
            await asyncio.sleep(0.3)  # all of them together below the demo's limit of an address

    try:
        chatting = [asyncio.create_task(chat()) for _ in range(4)]
        await asyncio.sleep(3)
        at = loop.time()
        take(gate.journal)
        await asyncio.sleep(5)
        ready = await gate.readyz()
        given = loop.time()
        give_back(gate.journal)
        async with asyncio.timeout(30):
            while not any(told.at > given and told.well for told in gate.told):
                await asyncio.sleep(0.05)
        await asyncio.sleep(2)
        stop.set()
        await asyncio.gather(*chatting)
    finally:
        await gate.stop()
    recorded = gate.recorded(gate.journal)
    lost = [told for told in gate.told if told.well and told.answer.headers["tidegate-message-id"] not in recorded]
    late = sum(told.at > at + 1 for told in lost)
    within = sum(at <= told.at <= at + 1 for told in lost)
    refused = [told.at for told in gate.told if told.at >= at and told.why == "journal.unavailable"]
    back = min(told.at for told in gate.told if told.at > given and told.well) - given
    print(
        f"{name}: answered without a record after one second: {late} (within it: {within}); "
        f"503 after {min(refused) - at if refused else -1:.2f} s, {len(refused)} of them; back {back:.2f} s after it "
        "could\n"
        f"    readyz meanwhile: {ready}",
        flush=True,
    )
    verified(gate.journal)
    return not late and back <= WELL


async def folders(folder: Path) -> bool:
    well = True
    for number, (name, (take, give_back)) in enumerate(TAKEN.items()):
        made = folder / str(number)
        made.mkdir()
        if "read-only" in name and os.geteuid():
            print(f"{name}: needs root")
            continue
        well = await taken(made, name, take, give_back) and well
    return well


TRIALS = {"clock": clock, "folder": folders}


def main(names: list[str]) -> int:
    if set(names) - set(TRIALS):
        sys.exit(__doc__)
    well = True
    for name in names or list(TRIALS):
        with tempfile.TemporaryDirectory() as scratch, suppress(KeyboardInterrupt):
            well = asyncio.run(TRIALS[name](Path(scratch))) and well
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
