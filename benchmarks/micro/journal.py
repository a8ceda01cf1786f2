"""One judged record as a line, beside the json module."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator

from benchmarks.micro.case import Case
from benchmarks.micro.samples import MESSAGE
from filters.policy import Policy
from filters.verdict import Verdict
from gateway.journal import encoding
from gateway.journal.record import Basis, judged


def cases() -> Iterator[Case]:
    digest = "0" * 64
    basis = Basis("article-comments", "comment", Policy("comment", digest, []), {"words": digest})
    verdict = Verdict("pass", digest)
    start = encoding.prefix(1)

    def ours() -> bytes:
        return encoding.sealed(encoding.body(start, 12, judged(MESSAGE, verdict, basis)))

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
