"""The study of sizes speaks of keys and records as the gateway writes them."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.studies import capacity
from gateway.journal.write import encoding

RECORDS = Path(__file__).parents[3] / "benchmarks" / "record" / "capacity"


def test_records_are_lines_that_can_be_read() -> None:
    members = [encoding.fields(one) for one in capacity.records(30)]
    lines = encoding.lines(encoding.prefix(1), 1, members).splitlines(keepends=True)
    assert [encoding.decode(line)["kind"] for line in lines] == ["judged", "outcome"]
    assert capacity.journal_bytes(300) - capacity.journal_bytes(30) == 270 * 3


def test_what_is_on_record_is_what_a_message_takes_today() -> None:
    newest = json.loads(max(RECORDS.glob("*.json")).read_bytes())
    assert newest["journal_bytes"] == {name: capacity.journal_bytes(size) for name, size in capacity.TEXTS.items()}


def test_every_kind_of_key_is_told_apart_by_number() -> None:
    for made in capacity.kinds().values():
        assert len({made(number)[0] for number in range(100)}) == 100
