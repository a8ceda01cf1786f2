"""Certificates, the number of workers and the version change beneath clients that never stop: what they see of it.

    make upgrade-check ARGS="--seconds 60 --program /opt/tidegate/1.3/bin/tidegate"

Clients keep connections on a plain address, one with a PROXY header and one with TLS; others hold WebSockets. Without
``--program`` the version is one that is made of this tree, with another number. Exit code 1 where a request that was
sent was not answered, an answer was another than the usual one, or a socket was cut.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

from rig.versions import make as another_version
from rig.witnesses import Seen
from tests.certificates import make as certificates
from tests.certificates import trusting
from tests.e2e.upgrades.conftest import Standing, standing

COUNTS = ((2, 4), (4, 1), (1, 2))


async def changes(node: Standing, folder: Path, program: Path, say: Step) -> None:
    """One after the other."""
    server = certificates(folder / "next", "localhost")
    for old, new in COUNTS:
        node.configure(f"workers = {old}\n", f"workers = {new}\n")
        answer = await node.reload()
        say(f"workers {old} to {new}: {'done' if answer['ok'] else answer['problems']}")
        await asyncio.sleep(3)
    for path in (server.key, server.certificate):
        (folder / path.name).write_bytes(path.read_bytes())
    answer = await node.reload()
    say(f"certificate replaced: {'done' if answer['ok'] else answer['problems']}")
    gate = node.gates["secure"]
    _, writer = await asyncio.open_connection("127.0.0.1", gate.port, ssl=trusting(server), server_hostname="localhost")
    writer.close()
    say("a handshake with the new one: done")
    told = await node.upgrade(program)
    say(f"upgrade: {told['state']} {told.get('from')} to {told.get('to')} {told['problems'] or ''}")


class Step:
    """Says when something has happened."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def __call__(self, what: str) -> None:
        print(f"{time.monotonic() - self._began:6.1f} s  {what}", flush=True)


async def run(seconds: float, program: Path | None) -> Seen:
    with tempfile.TemporaryDirectory(prefix="tidegate-changes-") as name:
        folder = Path(name)
        (folder / "next").mkdir()
        program = program or another_version(folder, "999.0")
        async with standing(folder, drain=f"{seconds + 600:.0f}s") as node:
            say = Step()
            before = await node.status()
            tls = node.gates["secure"].tls
            assert tls is not None
            async with node.under_load(clients=4, sockets=10, pause=0.002) as seen:
                began = time.monotonic()
                trusted = asyncio.create_task(_trust(tls, folder))
                await changes(node, folder, program, say)
                await trusted
                await asyncio.sleep(max(0.0, began + seconds - time.monotonic()))
            after = await node.status()
            say(
                f"same process: {after['pid'] == before['pid']}; state server kept: "
                f"{after['children']['state']['pid'] == before['children']['state']['pid']}"
            )
            return seen


async def _trust(tls: object, folder: Path) -> None:
    """Let the clients trust the next certificate as soon as there is one."""
    path = folder / "next" / "server.pem"
    while not path.exists() or not path.read_bytes().endswith(b"-----END CERTIFICATE-----\n"):
        await asyncio.sleep(0.01)
    tls.load_verify_locations(path)  # type: ignore[attr-defined]


def main() -> int:
    parser = argparse.ArgumentParser(prog="changes_under_load")
    parser.add_argument("--seconds", type=float, default=60.0, help="at least")
    parser.add_argument("--program", type=Path, help="of the version to upgrade to")
    options = parser.parse_args()
    seen = asyncio.run(run(options.seconds, options.program))
    told = ", ".join(f"{count:,} times {status}" for status, count in sorted(seen.answered.items()))
    print(f"answered: {told}; slowest {seen.slowest * 1e3:.0f} ms")
    print(f"connections closed in order: {seen.closed}")
    print(f"messages echoed on WebSockets: {seen.echoed:,}; slowest {seen.longest * 1e3:.0f} ms")
    print(f"WebSockets ended, by close code: {dict(seen.ended)}")
    print(f"failed: {len(seen.failed)}")
    for problem in sorted(set(seen.failed)):
        print(f"  {seen.failed.count(problem)} × {problem}")
    return int(bool(seen.failed) or set(seen.answered) != {201} or bool(seen.ended))


if __name__ == "__main__":
    raise SystemExit(main())
