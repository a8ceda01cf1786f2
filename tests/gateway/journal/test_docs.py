"""docs/journal.md names every field that is written, and none that is not."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import orjson

from filters.checks import keywords
from filters.model.message import Message
from filters.model.rule import Rule
from filters.model.verdict import Decided, Finding, Hit, Verdict
from filters.policy import Policy
from gateway.common.boot import reading
from gateway.journal.retention.retention import Due, prune
from gateway.journal.write import recovery
from gateway.journal.write.ids import Ids
from gateway.journal.write.record import (
    ACCESS,
    CONTENT,
    DISPOSITION,
    Basis,
    act,
    appeal,
    imported,
    judged,
    leap,
    onward,
    outcome,
    page,
    removal,
    review,
)
from gateway.journal.write.segments import Segment, segments

PAGE = Path(__file__).parents[3] / "docs" / "journal.md"
HEADING = re.compile(r"^### (.+?)\n(.*?)(?=^##|\Z)", re.S | re.M)


def documented() -> dict[str, set[str]]:
    found = {}
    for heading, section in HEADING.findall(PAGE.read_text(encoding="utf-8")):
        rows = re.findall(r"^\| (`.+?) \|", section, re.M)
        found[heading] = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    return found


def a_finding() -> Decided:
    hit = Hit("spam", "d", 1, "fraud", 1, 0, ((0, 1),))
    rule = Rule("keywords", "reject", "reject", keywords.Options(("spam",)), ground="3")
    return Decided(rule, Finding("keywords", "keyword.match", hit, 1.5, {"x": 1}), "reject", degraded=True)


def a_judged() -> dict[str, object]:
    decided = a_finding()
    policy = Policy("p", "d", [decided.rule])
    basis = Basis("r", "comment", policy, {"spam": "d"}, keep=("ip",))
    message = Message(
        "m",
        "comment",
        "r",
        "room",
        "s",
        ("t",),
        1,
        ip="::1",
        parts=("/a",),
        edit=True,
        playback_ms=1,
        shown_sender="Al",
        weak=True,
    )
    return judged(message, Verdict("reject", "d", (decided,), (decided,), ("l",), None, ("x:y",)), basis)


def fields(records: Iterable[dict[str, object]], kind: str) -> set[str]:
    return {name for record in records if record["kind"] == kind for name in record}


async def test_every_field(make_writer, journalist, root: Path, read) -> None:
    journal = make_writer()
    desk = journalist(journal)
    journal.append({**a_judged(), "trace": "0af7651916cd43dd8448eb211c80319c", "print": "0123456789abcdef"})
    journal.settle("", onward("m3"))
    journal.append({**a_judged(), "id": "m2", "delay": 1.0, "sent_at": 1, "releases": "m", "approved_by": "a"})
    journal.append({**a_judged(), "id": "m4", "sent_at": 1, "restores": "m2", "approved_by": "a"})
    journal.append(appeal("m", "rejected", 7, person="Li Hua", act="a"))
    journal.append(review("m", "refused", person="Li Hua", act="a", release="m2", reason="x", ground="3"))
    journal.append(outcome("m", "failed", status=502, upstream_id="7", route="r", reason="upstream.status"))
    journal.append(
        removal(
            "m", "takedown", "confirmed", route="r", room="room", upstream_id="7", status=204, reason="order 7",
            ground="3", act="a",
        )
    )  # fmt: skip
    journal.append(act("a", "Li Hua", "flood", "block.add", target={"sender": "bob"}, undoes="b", token="sync"))
    journal.append(imported("m", "room", "t", 1, route="r", upstream_id="7", playback_ms=1))
    journal.append(page("p", "room", 2, ["a", "c"]))
    prune([Due(root / "n1" / "5", (Segment(1, 1, root / "x"),), 5)], journal.append, Ids(1, 0))
    journal.append(leap("x", 1, reading(), "running"))
    journal._tell({"kind": "unsynced", "segment": "x", "from": 0, "to": 1, "error": "EIO"})
    (root / "n1" / "5").mkdir(parents=True)
    desk.judged()
    await desk.told(1)
    journal.close()
    path = segments(journal.folder)[0].path
    path.write_bytes(path.read_bytes() + b"torn")
    ids = Ids(1, 0)
    log, _ = recovery.begin(journal.folder, ids, always=False)
    log.leave("size")
    log.refused = 3
    log.open = {"m3"}
    log.waiting = lambda: {"m3"}
    log.reopen()
    recovery.end(log, ids)
    records = [line.record for line in read(journal.folder) if line.record is not None]
    told = documented()
    common = told.pop("every record")
    finding = told.pop("a finding")
    assert set(told) == {record["kind"] for record in records}
    for kind, named in told.items():
        assert fields(records, kind) - common == named, kind
    assert set().union(*records) >= common
    written = orjson.loads(orjson.dumps(a_judged()))
    assert set(written["findings"][0]) == finding


def test_the_classes_of_a_judged_record() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for name, members in (("access", ACCESS), ("content", CONTENT), ("disposition", DISPOSITION)):
        told = set(re.findall(rf"^\| `(\w+)` \| {name} \|", page, re.M))
        assert told == set(members) - {"id", "time"}


def test_the_order_of_members(tmp_path: Path, read) -> None:
    log, _ = recovery.begin(tmp_path, Ids(1, 0), always=False)
    recovery.end(log, Ids(1, 0))
    for line in read(tmp_path):
        names = list(line.record)
        assert names[:4] == ["v", "epoch", "seq", "kind"]
        assert names[-2:] == ["chain", "crc"]
