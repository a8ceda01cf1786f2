"""What a deployment has to hold: bytes in state for each thing that it remembers, and in the journal for a message.

    python -m benchmarks.studies.capacity > benchmarks/record/capacity/DATE.json

Sizes, not times: a busy machine changes none of them. State is asked of a real server (``used_memory``, before and
after ``COUNT`` keys of each kind, with names and values as ``gateway/state`` writes them); the journal's records are
encoded as its writer does.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from redis.asyncio import Redis

from filters.model.limits import parse_limit
from gateway.journal.write import encoding, record
from gateway.journal.write.ids import Ids
from gateway.state.cold import embedded
from gateway.state.cold.governance_projection import account_value, block_value
from gateway.state.model.keys import Keys

COUNT = 100_000
AT_ONCE = 1000
EPOCH = 1_795_979_582_532
TEXTS = {"short": 10, "usual": 30, "long": 300}  # Han characters, three bytes each


def kinds() -> dict[str, Callable[[int], tuple[str, str]]]:
    """A key and its value by number, for each thing that state remembers. Senders have ids of 12 characters."""
    keys = Keys()
    limit = parse_limit("sender 5/10s")
    return {
        "account": lambda n: (keys.account(EPOCH, f"u{n:011}"), account_value(True, 0, 100)),
        "block": lambda n: (keys.block(EPOCH, "sender", f"u{n:011}"), block_value("spam", 0, None)),
        "limit of a sender": lambda n: (keys.limit(limit, "comments", False, f"u{n:011}"), str(EPOCH * 1000)),
    }


async def state_bytes(client: Redis) -> dict[str, float]:
    """Bytes for each, all of a server's overhead included; a limit's key has an end, as limits do."""
    found: dict[str, float] = {}
    for name, made in kinds().items():
        await client.execute_command("FLUSHALL", "SYNC")  # type: ignore[no-untyped-call]
        before = (await client.info("memory"))["used_memory"]
        for start in range(0, COUNT, AT_ONCE):
            pipeline = client.pipeline(transaction=False)
            for number in range(start, start + AT_ONCE):
                key, value = made(number)
                pipeline.set(key, value, px=3_600_000 if name.startswith("limit") else None)
            await pipeline.execute()
        found[name] = ((await client.info("memory"))["used_memory"] - before) / COUNT
    return found


def records(characters: int) -> Iterator[dict[str, Any]]:
    """What one delivered comment leaves in the journal, two lists asked."""
    message, digest = Ids(1, 0)(), "0" * 64
    yield {
        "kind": "judged", "id": message, "time": EPOCH * 1000, "route": "comments", "surface": "comment",
        "room": "article-0012345", "sender": "u00000001234", "verdict": "pass", "policy": digest,
        "lists": {"spam": digest, "gambling": digest}, "content": record.envelope(["字" * characters]),
    }  # fmt: skip
    yield record.outcome(message, "delivered", status=201, upstream_id="1234567", route="comments")


def journal_bytes(characters: int) -> int:
    """Of all records of one message, as lines; the chain of a batch, shared by many, left out."""
    members = [encoding.fields(one) for one in records(characters)]
    return len(encoding.lines(encoding.prefix(1), 12_345_678, members))


async def measured() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        socket = embedded.socket_path(Path(folder))
        argv = (embedded.binary(), "--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", folder)
        server = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.DEVNULL)
        try:
            while not socket.exists():
                await asyncio.sleep(0.05)
            client = Redis(unix_socket_path=str(socket), socket_timeout=60.0)
            state = await state_bytes(client)
            await client.aclose()
        finally:
            server.terminate()
            await server.wait()
    return {"keys": COUNT, "state_bytes": state, "journal_bytes": {n: journal_bytes(c) for n, c in TEXTS.items()}}


if __name__ == "__main__":
    json.dump(asyncio.run(measured()), sys.stdout, indent=2)
