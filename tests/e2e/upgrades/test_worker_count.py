"""What changes beneath clients that never stop: certificates, the number of workers. No request fails."""

from __future__ import annotations

import asyncio
from pathlib import Path

from rig.witnesses import Gate
from tests.certificates import make, trusting
from tests.e2e.upgrades.conftest import Standing, standing


async def running(node: Standing, number: int) -> set[str]:
    """The workers that accept, once there are so many and no other is left; their names."""
    async with asyncio.timeout(90):
        while True:
            workers = await node.workers()
            if list(workers.values()) == ["running"] * number:
                return set(workers)
            await asyncio.sleep(0.05)


async def test_certificate_and_workers_change_under_load(tmp_path: Path) -> None:
    async with standing(tmp_path, drain="2s") as node:
        before = make(tmp_path / "..", "localhost", stem=f"{tmp_path.name}-other")
        async with node.under_load(clients=1, sockets=1) as seen:
            names = [await running(node, 2)]
            for old, new in ((2, 3), (3, 1), (1, 2)):  # more of them: make upgrade-check
                node.configure(f"workers = {old}\n", f"workers = {new}\n")
                answer = await node.reload()
                assert (answer["ok"], answer["warnings"]) == (True, []), answer
                names.append(await running(node, new))
        assert seen.failed == []
        assert set(seen.answered) == {201}
        assert set(seen.ended) <= {1012}, "after server.drain a client is told to come again"
        assert names == [{"worker-0", "worker-1"}, {f"worker-{n}" for n in range(3)}, {"worker-0"}, names[0]]
        # A certificate is replaced while connections stand and others begin.
        kept = Gate(node.gates["secure"].port, trusting(before))
        async with node.under_load(clients=1, sockets=1) as seen:
            for suffix in (".key", ".pem"):
                (tmp_path / f"server{suffix}").write_bytes(before.certificate.with_suffix(suffix).read_bytes())
            answer = await node.reload()
            assert answer["ok"], answer
            workers = await running(node, 2)
            node.gates["secure"] = kept
            async with node.under_load(clients=1, sockets=1) as anew:  # until each has had an answer
                before_that = anew.answered[201]
                async with asyncio.timeout(30):
                    while anew.answered[201] < before_that + 20:
                        await asyncio.sleep(0.02)
        assert (anew.failed, set(anew.answered), dict(anew.ended)) == ([], {201}, {})
        assert (seen.failed, set(seen.answered), dict(seen.ended)) == ([], {201}, {}), "theirs stand"
        assert await running(node, 2) == workers
        journals = {path.name for path in (node.lab.node.folders.root / "journal" / "node-0").iterdir()}
        assert journals >= {"0", "1", "2"}
        await node.lab.sound("u0", restarted=[])


async def test_a_number_whose_journal_cannot_be_written_is_passed_over(tmp_path: Path) -> None:
    async with standing(tmp_path, workers=1) as node:
        (node.lab.node.folders.root / "journal" / "node-0" / "1").write_bytes(b"")
        node.configure("workers = 1\n", "workers = 2\n")
        assert (await node.reload())["ok"]
        assert await running(node, 2) == {"worker-0", "worker-2"}
        assert (await node.lab.node.say("alice", "hello")).status == 201
