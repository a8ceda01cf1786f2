"""Another version takes over a running node: no request fails, and sockets stay where they are."""

from __future__ import annotations

from pathlib import Path

from rig.versions import make
from tests.e2e.upgrades.conftest import standing


async def test_an_upgrade_under_load(tmp_path: Path) -> None:
    changed = {"gateway/worker/__main__.py": ('"worker.serving"', '"worker.serving_anew"')}
    program = make(tmp_path, "9.9.1", changed)
    async with standing(tmp_path) as node:
        before = await node.status()
        async with node.under_load() as seen:
            told = await node.upgrade(program)
            assert (told["state"], told["to"]) == ("done", "9.9.1"), told
            after = await node.status()
            assert after["pid"] == before["pid"]
            kept = ("state",)
            assert all(after["children"][name]["pid"] == before["children"][name]["pid"] for name in kept)
            workers = await node.workers()
            assert {name for name, state in workers.items() if state == "running"} == {"worker-2", "worker-3"}
            assert set(workers.values()) == {"running", "retiring"}, "sockets are with those of before"
        assert seen.failed == []
        assert set(seen.answered) == {201}
        assert not seen.ended
        assert "worker.serving_anew" in node.lab.node.told(everything=True)
