"""One judged record as a line, beside the json module."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator

from benchmarks.micro.case import Case
from benchmarks.micro.samples import MESSAGE
from filters.policy import Policy
from gateway.journal.write import encoding
from gateway.journal.write.record import Basis


def cases() -> Iterator[Case]:
    digest = "0" * 64
    policy = Policy("comment", digest, [])
    basis = Basis("article-comments", "comment", policy, {"words": digest})
    verdict = policy.passed
    start = encoding.prefix(1)

    def ours() -> bytes:
        return encoding.lines(start, 12, [basis.fields(MESSAGE, verdict)])

    def plain() -> bytes:
        record = {
            "v": 1, "epoch": 1, "seq": 12, "kind": "judged", "id": MESSAGE.id, "time": MESSAGE.received_at,
            "route": MESSAGE.route, "surface": MESSAGE.surface, "room": MESSAGE.room, "sender": MESSAGE.sender,
            "verdict": verdict.disposition, "policy": verdict.policy, "lists": {"words": digest},
            "content": {"key": "", "plain": MESSAGE.texts},
        }  # fmt: skip
        line = json.dumps(record, ensure_ascii=False).encode()
        return line + b"%08x\n" % zlib.crc32(line)

    yield Case("journal", "a judged record with its text", ours, "json.dumps, zlib.crc32", plain)
