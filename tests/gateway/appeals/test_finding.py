"""From a code to its message, in a journal that a writer wrote."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import orjson

from gateway.appeals.codes import SECONDS, Codes
from gateway.appeals.finding import find
from gateway.journal.write.ids import Ids
from gateway.journal.write.segments import segments
from gateway.journal.write.settings import JournalSettings
from gateway.journal.write.writer import Writer

CODES = Codes(b"k" * 32)
AT = int(time.time())


class Marked(Codes):
    """Every message has the same 22 bits."""

    __slots__ = ()

    def mark(self, message_id: str) -> int:
        return 5


def written(root: Path, ids: list[str]) -> None:
    """A judged record for each, and an outcome of the first."""
    journal = Writer(
        root, "node-1", 0, ids=Ids(1, 0), settings=JournalSettings(low_disk=0, full_disk=0),
        loop=asyncio.get_running_loop(),
    )  # fmt: skip
    journal.start()
    for one in ids:
        journal.append(
            {
                "kind": "judged",
                "id": one,
                "time": AT * 10**6,
                "verdict": "reject",
                "content": {"plain": ['"id":"' + ids[0]]},
            }
        )
    journal.append({"kind": "outcome", "id": ids[0], "time": AT * 10**6, "state": "failed"})
    journal.flush()
    journal.close()


def some(second: int, count: int = 3) -> list[str]:
    ids = Ids(1, 0, lambda: second * 10**9 + 999_000_000)
    return [ids() for _ in range(count)]


async def test_a_code_finds_its_message_among_those_of_its_second(tmp_path: Path) -> None:
    ids = [*some(AT - 1), *some(AT), *some(AT + 1)]
    written(tmp_path, ids)
    for one in ids:
        assert find(tmp_path, CODES, CODES.code(one).lower(), AT + 10) == [one]


async def test_a_guess_and_another_s_code_find_nothing(tmp_path: Path) -> None:
    ids = some(AT)
    written(tmp_path, ids)
    assert find(tmp_path, CODES, "0000000000", AT + 10) == []
    assert find(tmp_path, CODES, "no code", AT + 10) == []
    assert find(tmp_path, CODES, Codes(b"o" * 32).code(ids[0]), AT + 10) == []
    assert find(tmp_path, CODES, CODES.code(some(AT)[0]), AT + 10) == []
    assert find(tmp_path / "none", CODES, CODES.code(ids[0]), AT + 10) == []


async def test_messages_that_agree_are_all_told(tmp_path: Path) -> None:
    ids = some(AT)
    written(tmp_path, ids)
    alike = Marked(b"k" * 32)
    assert find(tmp_path, alike, alike.code(ids[0]), AT + 10) == sorted(ids)


async def test_a_clock_that_was_ahead_is_found(tmp_path: Path) -> None:
    (one,) = some(AT, 1)
    written(tmp_path, [one])
    assert find(tmp_path, CODES, CODES.code(one), AT - 390 * 86_400) == [one]


async def test_a_second_comes_back_after_years(tmp_path: Path) -> None:
    (one,) = some(AT, 1)
    written(tmp_path, [one])
    assert find(tmp_path, CODES, CODES.code(one), AT + SECONDS - 1) == [one]
    assert find(tmp_path, CODES, CODES.code(one), AT + SECONDS + 1) == []


async def test_a_torn_segment_is_no_obstacle(tmp_path: Path) -> None:
    ids = some(AT)
    written(tmp_path, ids)
    (segment,) = (one.path for one in segments(tmp_path / "node-1" / "0") if ids[0].encode() in one.path.read_bytes())
    with segment.open("ab") as file:
        file.write(orjson.dumps({"id": ids[0]})[:20] + b'"id":"' + ids[0][:10].encode())
    assert find(tmp_path, CODES, CODES.code(ids[0]), AT + 10) == [ids[0]]
