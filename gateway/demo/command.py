"""``tidegate demo``: the small platform, the gate in front of it, and people to try it as."""

from __future__ import annotations

import asyncio
import contextlib
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import orjson
import typer

from gateway.common.listening import parse
from gateway.common.posix import python
from gateway.generation.generation import Generation
from gateway.node.child import Child
from gateway.node.supervisor import Supervisor

REASON = "demo accounts"


class Addresses(NamedTuple):
    """Where gate, control and platform listen."""

    gate: str
    control: str
    platform: str


def accounts() -> list[dict[str, Any]]:
    """alice, bob and u1 to u200 are verified, carol is not, dave has little credit; mallory is blocked besides."""
    people = [{"sender": name, "verified": True} for name in ("alice", "bob", "mallory")]
    people += [{"sender": f"u{number}", "verified": True} for number in range(1, 201)]
    return [*people, {"sender": "carol", "verified": False}, {"sender": "dave", "verified": True, "credit": 20}]


def lay_out(data_dir: Path, addresses: Addresses) -> Path:
    """Copy configuration and lists into the data folder, so that one may edit them; lists that are there stay.

    The configuration is written anew each time, because the addresses stand in it.
    """
    source = resources.files("gateway.demo")
    (data_dir / "lists").mkdir(parents=True, exist_ok=True)
    for name in ("spam.txt", "gambling.txt", "abuse.txt"):
        target = data_dir / "lists" / name
        if not target.exists():
            target.write_text(source.joinpath("lists", name).read_text(encoding="utf-8"), encoding="utf-8")
    text = source.joinpath("tidegate.toml").read_text(encoding="utf-8")
    text = text.replace("127.0.0.1:8080", addresses.gate).replace("127.0.0.1:9000", addresses.platform)
    text = text.replace("127.0.0.1:8081", addresses.control)
    config = data_dir / "tidegate.toml"
    config.write_text(text, encoding="utf-8")
    return config


async def introduce(control: str, token: str) -> None:
    """Tell the gate of the demo's people through its admin API, as a platform would."""
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(f"http://{control}", headers=headers, raise_for_status=True) as session:
        lines = b"\n".join(orjson.dumps(account) for account in accounts())
        answer = await session.post("/v1/accounts:import", params={"reason": REASON}, data=lines)
        await answer.read()
        asked = {"scope": "sender", "value": "mallory", "reason": REASON}
        blocks = await (await session.get("/v1/blocks", params=asked)).json()
        if not blocks["blocks"]:
            await session.post("/v1/blocks", json={**asked, "ground": "agreement 6.1"})


async def run(data_dir: Path, addresses: Addresses) -> None:
    """Run everything until told to stop."""
    config = lay_out(data_dir, addresses)
    host, port = parse(addresses.platform)
    demo_platform = Child("platform", lambda: python("gateway.demo.platform", "--host", host, "--port", str(port)))
    introductions: list[asyncio.Task[None]] = []

    def announce(generation: Generation) -> None:
        introductions.append(asyncio.create_task(welcome(generation)))

    async def welcome(generation: Generation) -> None:
        kept = supervisor.folders.first_token(generation.config)
        token = kept.read_text(encoding="ascii").strip()
        await introduce(addresses.control, token)
        typer.echo(f"platform  http://{addresses.platform}  (what stands behind the gate)")
        typer.echo(f"gate      http://{addresses.gate}/articles/1  (open this one)")
        typer.echo(f"control   http://{addresses.control}  (token in {kept})")
        typer.echo("ready")

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
