"""One message among many segments, by our id and by the platform's."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson

from gateway.journal.read import lookup
from gateway.journal.write.ids import Ids
from gateway.journal.write.record import envelope, outcome
from gateway.journal.write.segments import name, segments
from gateway.journal.write.settings import JournalSettings
from gateway.journal.write.writer import Writer
from gateway.mirror.upkeep.importing import bring_in, bullet_id


def writer(root: Path, worker: int) -> Writer:
    settings = JournalSettings(segment_size=2000, low_disk=0, full_disk=0)
    loop = asyncio.get_running_loop()
    made = Writer(root, "node-1", worker, ids=Ids(1, worker), settings=settings, loop=loop)
    made.start()
    return made


def judged(message_id: str, room: str = "r") -> dict[str, Any]:
    return {
        "kind": "judged",
        "id": message_id,
        "time": time.time_ns() // 1000,
        "route": "comments",
        "room": room,
        "verdict": "pass",
        "content": envelope(["text"]),
    }


async def written(root: Path, workers: int = 2, messages: int = 60) -> dict[str, str]:
    """Messages of two workers over many segments; by our id, the platform's."""
    names: dict[str, str] = {}
    for worker in range(workers):
        journal = writer(root, worker)
        ids = Ids(1, worker)
        for number in range(messages):
            if number % 8 == 7:  # a life ends, and with it its segment
                journal.close()
                journal = writer(root, worker)
            one = ids()
            names[one] = f'{worker}-"{number}"'
            journal.append(judged(one, room=str(number)))
            journal.flush()
            if number % 5:
                journal.append(outcome(one, "delivered", status=201, upstream_id=names[one], route="comments"))
            journal.flush()
        journal.close()
    assert len(segments(root / "node-1" / "0")) > messages // 8
    return names


async def test_by_our_id(tmp_path: Path) -> None:
    names = await written(tmp_path)
    for number, (one, theirs) in enumerate(names.items()):
        told = lookup.find(tmp_path, one)
        assert told is not None
        assert (told.first["id"], told.first["room"]) == (one, str(number % 60))
        if number % 5:
            assert told.outcome is not None
            assert told.outcome["upstream_id"] == theirs
        else:
            assert told.outcome is None or told.outcome["state"] == "unknown"  # told by the next life


async def test_what_is_not_there(tmp_path: Path) -> None:
    names = await written(tmp_path, workers=1, messages=5)
    some = next(iter(names))
    for unknown in ("", "x", some[:-1], some[:-2] + "zz", some.upper(), some[:19] + "8002" + some[23:], Ids(1, 0)()):
        assert lookup.find(tmp_path, unknown) is None, unknown
    assert lookup.find(tmp_path / "nowhere", some) is None
    assert lookup.find_upstream(tmp_path, "comments", "nothing", 0) is None


async def test_by_the_platforms_id(tmp_path: Path) -> None:
    names = await written(tmp_path)
    for one, theirs in list(names.items())[1:60:7]:
        expected = one if int(theirs.split('"')[1]) % 5 else None
        assert lookup.find_upstream(tmp_path, "comments", theirs, 0) == expected
        assert lookup.find_upstream(tmp_path, "others", theirs, 0) is None


async def test_the_newest_of_two_with_one_name_counts(tmp_path: Path) -> None:
    journal = writer(tmp_path, 0)
    for one in ("old", "new"):
        journal.append(outcome(one, "delivered", upstream_id="7", route="comments"))
        journal.flush()
    journal.append(outcome("part", "delivered", upstream_id="77", route="comments"))
    journal.close()
    assert lookup.find_upstream(tmp_path, "comments", "7", 0) == "new"


async def test_only_as_far_back_as_asked(tmp_path: Path) -> None:
    names = await written(tmp_path, workers=1)
    theirs = list(names.values())[1]
    assert lookup.find_upstream(tmp_path, "comments", theirs, time.time_ns() // 1000 + 10**9) is None


async def test_prepared_damaged_and_young_lines(tmp_path: Path) -> None:
    names = await written(tmp_path, workers=1, messages=10)
    folder = tmp_path / "node-1" / "0"
    (folder / name(1, 999)).touch()
    one = list(names)[3]
    with segments(folder)[-2].path.open("ab") as file:
        file.write(b'{"id":"%b"}\n{"id":"%b"' % (one.encode(), one.encode()))
    told = lookup.find(tmp_path, one)
    assert told is not None
    assert told.first["id"] == one


SENT_AT = 1_500_000_000
LIVE: Any = SimpleNamespace(name="live", playback_unit="s")


def imported(root: Path, *names: str) -> None:
    source = root.with_name("old.ndjson")
    lines = [{"id": one, "room": "r1", "text": f"text of {one}", "at": SENT_AT} for one in names]
    source.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    bring_in(source, root, LIVE)


async def test_what_was_imported_is_found_by_both_names_however_old(tmp_path: Path) -> None:
    root = tmp_path / "journal"
    imported(root, *map(str, range(20)))
    imported(root, "twenty")
    for theirs in ("7", "twenty"):
        ours = bullet_id("r1", theirs, SENT_AT * 1_000_000)
        later = time.time_ns() // 1000 + 10**9
        assert lookup.find_upstream(root, "live", theirs, later) == ours
        assert lookup.find_upstream(root, "comments", theirs, later) is None
        told = lookup.find(root, ours)
        assert told is not None
        assert (told.verdict, told.state, told.upstream_id, told.at) == ("pass", "delivered", theirs, SENT_AT * 10**6)
        assert told.first["content"]["plain"] == [f"text of {theirs}"]
    assert lookup.find(root, bullet_id("r1", "21", SENT_AT * 1_000_000)) is None
    assert lookup.find_upstream(root, "live", "21", 0) is None


async def test_what_came_through_the_gateway_is_newer_than_what_was_imported(tmp_path: Path) -> None:
    root = tmp_path / "journal"
    journal = writer(root, 0)
    journal.append(outcome("ours", "delivered", upstream_id="7", route="live"))
    journal.close()
    imported(root, "7")
    assert lookup.find_upstream(root, "live", "7", 0) == "ours"


async def test_what_was_put_aside_of_a_copy_is_found(tmp_path: Path) -> None:
    names = await written(tmp_path, workers=1, messages=20)
    folder = tmp_path / "node-1" / "0"
    found = segments(folder)
    (tmp_path / "node-1" / "0~1").mkdir()
    for segment in found[1:]:
        segment.path.rename(tmp_path / "node-1" / "0~1" / segment.name)
    for number, (one, theirs) in enumerate(names.items()):
        told = lookup.find(tmp_path, one)
        assert told is not None and told.first["id"] == one
        if number % 5:
            assert lookup.find_upstream(tmp_path, "comments", theirs, 0) == one


async def test_what_another_node_imported_is_found_in_its_copy(tmp_path: Path) -> None:
    source = tmp_path / "old.ndjson"
    source.write_bytes(orjson.dumps({"id": "7", "room": "r", "text": "old", "at": 1_500_000_000}) + b"\n")
    route: Any = SimpleNamespace(name="live", playback_unit="s")
    bring_in(source, tmp_path / "journal", route)
    copy = tmp_path / "journal" / "node-2"
    copy.mkdir()
    (tmp_path / "journal" / "desk" / "import").rename(copy / "desk-import")
    one = bullet_id("r", "7", 1_500_000_000_000_000)
    told = lookup.find(tmp_path / "journal", one)
    assert told is not None and told.imported
    assert lookup.find_upstream(tmp_path / "journal", "live", "7", 0) == one
