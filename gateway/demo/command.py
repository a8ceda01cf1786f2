"""``tidegate demo``: the small platform, the gate in front of it, and people to try it as."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from importlib import resources
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from gateway.child import Child
from gateway.generation import Generation
from gateway.listening import parse
from gateway.supervisor import Supervisor

REASON = "demo accounts"
PLATFORM = "127.0.0.1:9000"


def accounts() -> list[dict[str, Any]]:
    """alice, bob and u1 to u200 are verified, carol is not, dave has little credit; mallory is blocked besides."""
    people = [{"sender": name, "verified": True} for name in ("alice", "bob", "mallory")]
    people += [{"sender": f"u{number}", "verified": True} for number in range(1, 201)]
    return [*people, {"sender": "carol", "verified": False}, {"sender": "dave", "verified": True, "credit": 20}]


def lay_out(data_dir: Path) -> Path:
    """Copy configuration and lists into the data folder, so that one may edit them; what is there stays."""
    source = resources.files("gateway.demo")
    (data_dir / "lists").mkdir(parents=True, exist_ok=True)
    for name in ("tidegate.toml", "lists/spam.txt", "lists/gambling.txt", "lists/abuse.txt"):
        target = data_dir / name
        if not target.exists():
            target.write_text(source.joinpath(*name.split("/")).read_text(encoding="utf-8"), encoding="utf-8")
    return data_dir / "tidegate.toml"


async def introduce(control: str, token: str) -> None:
    """Tell the gate of the demo's people through its admin API, as a platform would."""
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(f"http://{control}", headers=headers, raise_for_status=True) as session:
        lines = b"\n".join(orjson.dumps(account) for account in accounts())
        await session.post("/v1/accounts:import", params={"reason": REASON}, data=lines)
        blocks = await (await session.get("/v1/blocks", params={"scope": "sender", "value": "mallory"})).json()
        if not blocks["blocks"]:
            block = {"scope": "sender", "value": "mallory", "ground": "agreement 6.1", "reason": REASON}
            await session.post("/v1/blocks", json=block)


async def run(data_dir: Path, platform: str = PLATFORM) -> None:
    """Run everything until told to stop."""
    config = lay_out(data_dir)
    host, port = parse(platform)
    demo_platform = Child(
        "platform", lambda: [sys.executable, "-m", "gateway.demo.platform", "--host", host, "--port", str(port)]
    )
    introductions: list[asyncio.Task[None]] = []

    def announce(generation: Generation) -> None:
        introductions.append(asyncio.create_task(welcome(generation)))

    async def welcome(generation: Generation) -> None:
        token = (supervisor.folders.control / "first-token").read_text(encoding="ascii").strip()
        await introduce(generation.config.control.listen, token)
        print(f"platform  http://{platform}  (what stands behind the gate)")
        for address in generation.config.server.listen:
            print(f"gate      http://{address}/articles/1  (open this one)")
        print(f"control   http://{generation.config.control.listen}  (token in {supervisor.folders.control}/first-token)")
        print("ready", flush=True)

    supervisor = Supervisor(config, data_dir, announce)
    demo_platform.start()
    try:
        await supervisor.run()
    finally:
        await demo_platform.stop(3)
        for task in introductions:
            with contextlib.suppress(asyncio.CancelledError):
                task.cancel()
                await task
