"""``python -m gateway.control.takedowns.copysearch``: which messages have this fingerprint, the newest first.

Takes one JSON object on standard input and gives one on standard output. Only messages whose text the journal keeps can
be found, and neither texts nor senders are told: how many senders there are is.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from gateway.journal.read.lookup import matches, newest
from gateway.judging.refused_copies import fingerprints
from gateway.words.files import folding_tables

LISTED = 200  # copies that are told one by one
WITHIN = 30.0  # seconds; then what was found is told, and that it is not all
NEEDLE = b'"content":{'


def search(asked: Mapping[str, Any], within: float = WITHIN) -> dict[str, Any]:
    """``{"root", "fingerprint" (hexadecimal), "since_us", "but" (an id)}`` → ``{"copies": [[id, route, room, time,
    verdict]], "senders", "more", "complete"}``."""
    wanted, since, but = bytes.fromhex(asked["fingerprint"]), asked["since_us"], asked["but"]
    scanner = fingerprints(folding_tables())
    found: list[list[Any]] = []
    senders: set[str] = set()
    until = time.monotonic() + within
    complete = True
    for path in newest(Path(asked["root"]), since):
        for record in matches(path, NEEDLE):
            if record["kind"] != "judged" or record["time"] < since or record["id"] == but:
                continue
            texts = record["content"].get("plain")
            if texts is not None and scanner.scan(tuple(texts)).fingerprint == wanted:
                found.append([record["id"], record["route"], record["room"], record["time"], record["verdict"]])
                senders.add(record["sender"])
            if time.monotonic() > until:
                complete = False
                break
        if not complete:
            break
    found.sort(key=lambda row: row[3], reverse=True)
    return {
        "copies": found[:LISTED],
        "senders": len(senders),
        "more": max(len(found) - LISTED, 0),
        "complete": complete,
    }


def main() -> int:
    """Exit code 0."""
    asked = orjson.loads(sys.stdin.buffer.read())
    sys.stdout.buffer.write(orjson.dumps(search(asked)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
