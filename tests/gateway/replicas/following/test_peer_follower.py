"""A peer that answers, does not, is another one, has no room here: told once, asked again, never half written."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway.common.boot import ClockReading
from gateway.replicas.copying.fetched import SegmentPlace, encoded
from gateway.replicas.copying.offering import Offering
from gateway.replicas.copying.settings import PeerSettings, ReplicaSettings
from gateway.replicas.following.peer_client import NoAnswer
from gateway.replicas.following.peer_follower import FIRST_PAUSE, LINGER, LONGEST_PAUSE, PeerFollower
from tests.gateway.replicas.copying.origin import Origin, contents

PEER = PeerSettings("b", 2, "http://127.0.0.1:1", "secret")


class Stage:
    """A peer, its follower, and a clock that is the follower's sleep."""

    def __init__(self, folder: Path, **more: Any) -> None:
        self.origin = Origin(folder / "there")
        self.here = folder / "here"
        self.here.mkdir()
        self.offering = Offering(self.origin.root, more.pop("number", 2))
        self.asked: list[dict[str, Any]] = []
        self.slept: list[float] = []
        self.seconds = 0.0
        self.answers: list[Callable[[bytes], bytes]] = []
        self.failed: list[str] = []
        self.follower = PeerFollower(
            PEER, 1, self.here, more.pop("settings", ReplicaSettings()), self.ask, clock=self.clock, sleep=self.sleep,
            failed=self.failed.append, **more,
        )  # fmt: skip

    def clock(self) -> ClockReading:
        return ClockReading(int(self.seconds * 1e6), "one", int(self.seconds * 1e6))

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds
        await asyncio.sleep(0)

    async def ask(self, asked: dict[str, Any]) -> bytes:
        self.asked.append(asked)
        wanted = {name: [SegmentPlace(**one) for one in places] for name, places in asked["folders"].items()}
        body = encoded(self.offering.collect(wanted, asked["most"]))
        return self.answers.pop(0)(body) if self.answers else body

    async def until(self, wanted: Callable[[], bool]) -> None:
        task = asyncio.create_task(self.follower.run())
        async with asyncio.timeout(20):
            while not wanted():
                await asyncio.sleep(0.001)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def fail(cause: str) -> Callable[[bytes], bytes]:
    def answer(_: bytes) -> bytes:
        raise NoAnswer(cause)

    return answer


async def test_it_follows_and_goes_on_after_everything(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.origin.write(["x" * 1000] * 20)

    def flipped(body: bytes) -> bytes:
        return body[:400] + bytes([body[400] ^ 8]) + body[401:]

    stage.answers = [fail("away"), fail("away"), fail("away"), flipped, lambda body: body[:-9]]
    with capture_logs() as logs:
        await stage.until(lambda: not stage.follower.cause and LINGER in stage.slept)
    assert [line["event"] for line in logs] == ["replicas.barred", "replicas.barred", "replicas.following"]
    assert [line.get("cause") for line in logs] == ["away", "garbled", None]  # once for each, however often
    assert stage.failed == ["away"] * 3 + ["garbled"] * 2
    assert stage.slept[:5] == [FIRST_PAUSE * 2**n for n in range(1, 6)]
    assert contents(stage.here / "node-2" / "0") == contents(stage.origin.folder)
    assert stage.follower.standing() == (2, "", pytest.approx(0, abs=1), 0)
    stage.origin.stop()


async def test_a_copy_that_is_away_is_behind_by_this_machines_clock(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.origin.write(["x"])
    await stage.until(lambda: LINGER in stage.slept)
    stage.seconds += 3600
    assert stage.follower.standing().lag >= 3600
    another = PeerFollower(PEER, 1, stage.here, ReplicaSettings(), stage.ask, clock=stage.clock)
    assert another.standing().lag >= 3600  # the one before wrote down when it was whole
    stage.origin.stop()


@pytest.mark.parametrize("cause", ["refused", "same_node"])
async def test_a_refusal_is_not_insisted_on(tmp_path: Path, cause: str) -> None:
    stage = Stage(tmp_path)
    stage.answers = [fail(cause)]
    await stage.until(lambda: bool(stage.slept))
    assert stage.slept[0] == LONGEST_PAUSE


async def test_another_node_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    stage = Stage(tmp_path, number=3)
    origin = Origin(stage.origin.root)
    origin.folder = stage.origin.root / "node-3" / "0"
    origin.write(["x"])
    await stage.until(lambda: stage.follower.cause == "other_node")
    assert not list((stage.here / "node-2").glob("*/*.jsonl"))
    origin.stop()


async def test_a_folder_of_our_own_is_told(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    ours = Origin(stage.here)
    ours.write(["x"])
    await stage.until(lambda: stage.follower.cause == "not_a_copy")
    assert stage.asked == []
    ours.stop()


async def test_without_room_nothing_is_asked(tmp_path: Path) -> None:
    full = ["full"]
    stage = Stage(tmp_path, room=lambda: full[0])
    stage.origin.write(["x"])
    await stage.until(lambda: stage.follower.cause == "full")
    assert stage.asked == []
    full[0] = ""
    await stage.until(lambda: not stage.follower.cause)
    stage.origin.stop()


async def test_the_rate_holds_while_there_is_more(tmp_path: Path) -> None:
    settings = ReplicaSettings(rate=100_000, chunk=65536)
    stage = Stage(tmp_path, settings=settings)
    stage.origin.write(["x" * 1000] * 200)
    await stage.until(lambda: LINGER in stage.slept)
    paused = stage.slept[: stage.slept.index(LINGER)]
    assert len(paused) >= 3 and all(0.5 < pause <= 0.66 for pause in paused)
    assert contents(stage.here / "node-2" / "0") == contents(stage.origin.folder)
    stage.origin.stop()


async def test_what_a_person_should_look_at_is_counted(tmp_path: Path) -> None:
    counted: list[tuple[int, int, int]] = []
    stage = Stage(tmp_path, found=lambda *found: counted.append(found))
    stage.origin.write(["x"])
    await stage.until(lambda: LINGER in stage.slept)
    stage.origin.lose(60)
    stage.origin.write(["y"])
    with capture_logs() as logs:
        await stage.until(lambda: contents(stage.here / "node-2" / "0") == contents(stage.origin.folder))
    assert counted == [(0, 0, 1)]
    assert "replicas.put_aside" in {line["event"] for line in logs}
    stage.origin.stop()


def test_a_token_is_never_shown() -> None:
    assert "secret" not in repr(PEER) + str(PEER)
