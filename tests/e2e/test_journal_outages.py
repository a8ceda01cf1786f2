"""The journal's disk full, or no longer writable: nothing is forwarded or answered as judged that is not recorded
(law 5), and it comes back by itself."""

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.e2e.lab import Lab, lab
from tests.e2e.node import Answer, kill

pytestmark = pytest.mark.asyncio(loop_scope="module")

PRIVATE = "turnstone"
SIZE = 4 << 20
FIELDS = {"Content-Type": "application/json", "X-User-Id": "alice"}
SETTINGS = """
[journal]
dir = "{dir}"
low_disk = "512KiB"
full_disk = "256KiB"
segment_size = "64KiB"
"""


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A disk of four megabytes."""
    folder = tmp_path_factory.mktemp("disk")
    if os.geteuid() != 0:
        pytest.skip("needs root: mounting a tmpfs")
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tidegate-test", folder], check=False)
    if made.returncode:
        pytest.skip("needs root: mounting a tmpfs")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gate(tmp_path_factory: pytest.TempPathFactory, disk: Path) -> AsyncIterator[Lab]:
    folder = tmp_path_factory.mktemp("journal")
    async with lab(folder, more=SETTINGS.format(dir=disk / "journal")) as made:
        # Where ``node.records`` looks.
        made.node.folders.root.joinpath("journal").symlink_to(disk / "journal")
        yield made
        await made.sound(PRIVATE, "alice", restarted=["worker-0"])


async def ready(gate: Lab) -> Answer:
    return await gate.node.manage("GET", "/readyz")


async def until_ready(gate: Lab, status: int, within: float = 30.0) -> Answer:
    async with asyncio.timeout(within):
        while (answer := await ready(gate)).status != status:
            await asyncio.sleep(0.05)
    return answer


async def until_told(gate: Lab, status: int, within: float = 30.0) -> Answer:
    async with asyncio.timeout(within):
        while (answer := await gate.node.say("alice", PRIVATE)).status != status:
            await asyncio.sleep(0.05)
    return answer


def fill(disk: Path, leave: int) -> Path:
    """Take all room but ``leave`` bytes."""
    ballast = disk / "ballast"
    with ballast.open("ab", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            told = os.statvfs(disk)
            room = told.f_bavail * told.f_frsize - leave
            if room <= 0:
                break
            file.write(b"\0" * min(room, 65536))
    return ballast


async def nothing_passes(gate: Lab) -> None:
    """What holds while nothing can be written."""
    before = len(gate.upstream.received)
    for text in (PRIVATE, "代开发票"):
        answer = await gate.node.say("alice", text)
        # Not even a refusal is told that is not recorded.
        assert (answer.status, answer.json()["reason"]) == (503, "journal.unavailable")
        assert int(answer.headers["retry-after"]) >= 1
    assert len(gate.upstream.received) == before
    # What is not judged needs no record.
    assert (await gate.node.ask("GET", "/page")).status == 201
    refused = await gate.node.metric("tidegate_refused_requests_total", route="comments", reason="journal.unavailable")
    assert refused >= 2


def recorded_once(gate: Lab) -> None:
    """Whatever reached the platform is on record, judged to pass, exactly once."""
    judged = [one["id"] for one in gate.node.records() if one["kind"] == "judged" and one["verdict"] == "pass"]
    received = [one.message_id for one in gate.upstream.received if one.message_id]
    assert len(judged) == len(set(judged))
    assert set(received) <= set(judged)


async def test_low_space_is_told_before_it_is_full(gate: Lab, disk: Path) -> None:
    assert (await ready(gate)).status == 200
    ballast = fill(disk, 300 << 10)
    async with asyncio.timeout(30):
        while "less than journal.low_disk" not in (await ready(gate)).json()["checks"]["journal"]["detail"]:
            await asyncio.sleep(0.05)
    assert (await ready(gate)).status == 200
    fill(disk, 200 << 10)
    told = await until_ready(gate, 503)
    assert told.json()["checks"]["journal"]["ok"] is False
    # Other nodes should get the traffic; what still comes is still served.
    assert (await gate.node.say("alice", PRIVATE)).status == 201
    ballast.unlink()
    await until_ready(gate, 200)


async def test_a_full_disk(gate: Lab, disk: Path) -> None:
    ballast = fill(disk, 0)
    # The page at the segment's end has room for some records more.
    refused = await until_told(gate, 503)
    assert refused.json()["reason"] == "journal.unavailable"
    await nothing_passes(gate)
    assert (await ready(gate)).status == 503
    assert "journal.unavailable" in gate.node.told(everything=True)
    ballast.unlink()
    await until_told(gate, 201)
    await until_ready(gate, 200)
    recorded_once(gate)


async def test_a_disk_that_fills_under_load(gate: Lab, disk: Path) -> None:
    """The moment itself: every message is either recorded and sent, or neither."""
    stop = asyncio.Event()
    told: list[Answer] = []

    async def chat() -> None:
        while not stop.is_set():
            told.append(await gate.node.say("alice", PRIVATE * 20))

    chatting = [asyncio.create_task(chat()) for _ in range(4)]
    fill(disk, 64 << 10)
    async with asyncio.timeout(20):
        while not any(answer.status == 503 for answer in told):
            fill(disk, 16 << 10)
            await asyncio.sleep(0.05)
    (disk / "ballast").unlink()
    seen = len(told)
    async with asyncio.timeout(20):
        while not any(answer.status == 201 for answer in told[seen:]):
            await asyncio.sleep(0.05)
    stop.set()
    await asyncio.gather(*chatting)
    assert {answer.status for answer in told} == {201, 503}
    recorded_once(gate)
    passed = {answer.headers["tidegate-message-id"] for answer in told if answer.status == 201}
    assert passed <= {one["id"] for one in gate.node.records() if one["kind"] == "judged"}
    # An outcome that found no room waited for it.
    async with asyncio.timeout(30):
        while not passed <= {one["id"] for one in gate.node.records() if one["kind"] == "outcome"}:
            await asyncio.sleep(0.05)


@contextlib.contextmanager
def read_only(disk: Path) -> Iterator[None]:
    """Nothing in the journal's folder can be opened for writing; what is open stays so."""
    journal = disk / "journal"
    subprocess.run(["mount", "--bind", journal, journal], check=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", journal], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", journal], check=True)


async def test_a_folder_that_becomes_read_only(gate: Lab, disk: Path) -> None:
    """The segment at hand is left; a worker that starts meanwhile refuses, and comes round."""
    with read_only(disk):
        refused = await until_told(gate, 503)
        assert refused.json()["reason"] == "journal.unavailable"
        told = await until_ready(gate, 503)
        assert told.json()["checks"]["journal"]["detail"] == "the folder cannot be written"
        await nothing_passes(gate)
        before = (await gate.node.pids("worker-0"))["worker-0"]
        kill(before)
        async with asyncio.timeout(30):
            while (await gate.node.pids("worker-0")).get("worker-0", before) == before:
                await asyncio.sleep(0.05)
        refused = await until_told(gate, 503)
        assert refused.json()["reason"] == "journal.unavailable"
        await nothing_passes(gate)
    await until_told(gate, 201)
    await until_ready(gate, 200)
    recorded_once(gate)


async def test_a_folder_that_is_moved_away_under_load(gate: Lab, disk: Path) -> None:
    """What is open has no name any more: within a second nothing is answered as judged, and it comes back by itself."""
    stop = asyncio.Event()
    told: list[tuple[float, Answer]] = []

    async def chat() -> None:
        while not stop.is_set():
            began = asyncio.get_running_loop().time()
            told.append((began, await gate.node.say("alice", PRIVATE)))

    chatting = [asyncio.create_task(chat()) for _ in range(4)]
    async with asyncio.timeout(20):
        while not told:
            await asyncio.sleep(0.05)
    (disk / "journal").rename(disk / "aside")
    moved = asyncio.get_running_loop().time()
    async with asyncio.timeout(20):
        while not any(answer.status == 503 for _, answer in told):
            await asyncio.sleep(0.05)
    async with asyncio.timeout(30):
        while len(away := [answer for began, answer in told if began > moved + 1]) < 20:
            await asyncio.sleep(0.05)
    assert {answer.status for answer in away} == {503}
    assert (await ready(gate)).json()["checks"]["journal"] == {"ok": False, "detail": "the folder is not there"}
    (disk / "aside").rename(disk / "journal")
    seen = len(told)
    async with asyncio.timeout(20):
        while not any(answer.status == 201 for _, answer in told[seen:]):
            await asyncio.sleep(0.05)
    stop.set()
    await asyncio.gather(*chatting)
    await until_ready(gate, 200)
    assert "journal.segment_left" in gate.node.told(everything=True)
    recorded_once(gate)


async def test_the_journal_is_whole_after_all_of_it(gate: Lab, disk: Path) -> None:
    checked = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway", "journal", "verify", "--journal-dir", str(disk / "journal"),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await checked.communicate()
    assert checked.returncode == 0, output.decode()
    assert PRIVATE not in output.decode()
