"""A node in front of a platform, by its preset, as ``tidegate init`` writes it, with a test's ports and lists."""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from gateway.presets import preset
from gateway.presets.composing import Answers, composed
from rig.ports import free_ports
from tests.e2e.node import Node
from tests.platforms.gate import DENIED, FREE, MASKED

FRONT = "127.0.0.1"
"""Where a front stands, who says who sends."""


@contextlib.asynccontextmanager
async def preset_gate(
    name: str, folder: Path, platform: int, *, workers: int = 1, changes: Mapping[str, str] | None = None
) -> AsyncIterator[Node]:
    """That node, running. ``platform``: its port. ``changes``: what is written by hand in the place of what."""
    known = preset.load(name)
    assert known.tried, "its preset does not say that it is tried"
    port, control = free_ports(2)
    (folder / "denied.txt").write_text("\n".join(DENIED) + "\n", encoding="utf-8")
    (folder / "masked.txt").write_text(MASKED + "\n", encoding="utf-8")
    answers = Answers(
        address=f"http://127.0.0.1:{platform}",
        listen=f"127.0.0.1:{port}",
        control=f"127.0.0.1:{control}",
        fronts=(f"{FRONT}/32",),
        refused=("denied.txt",),
        masked=("masked.txt",),
        appeal="https://platform.example/appeal?message={id}",
    )
    # Acts count on so many messages a minute; what is typed here comes faster, and where state answers late they wait.
    text = re.sub(r'limits = \["sender [^"]+"', f'limits = ["sender {FREE}/1m"', composed(known, answers))
    text = text.replace("[server]\n", f"[server]\nworkers = {workers}\n", 1) + '\n[state]\ndeadline = "5s"\n'
    for old, new in (changes or {}).items():
        assert old in text, f"its preset does not hold {old}"
        text = text.replace(old, new)
    path = folder / "tidegate.toml"
    path.write_text(text, encoding="utf-8")
    node = Node(folder / "data", "run", "--config", str(path), port=port, control_port=control)
    await node.start()
    try:
        yield node
        log = node.told(everything=True)
        for fault in ("request.failed", "exception.unhandled", "Traceback", '"library":"asyncio"'):
            assert fault not in log, [line for line in log.splitlines() if fault in line]
    finally:
        await node.stop()
