"""``tidegate demo``: the small platform, the gate in front of it, and people to try it as."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
import sys
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import orjson
import typer

from gateway import config as configuration
from gateway.common.listening import CannotListen, listen
from gateway.common.posix import python
from gateway.demo import desk_samples
from gateway.generation import conversion
from gateway.generation.generation import Generation
from gateway.node.child import Child
from gateway.node.supervisor import Supervisor

REASON = "demo accounts"
OPTIONS = ("--listen", "--control", "--platform")


class NoAddress(CannotListen):
    """What was given for an address is none, or is given twice: wrong usage, whoever listens where."""


class Addresses(NamedTuple):
    """Where gate, control and platform listen."""

    gate: str
    control: str
    platform: str


def occupy(addresses: Addresses) -> list[socket.socket]:
    """Listening sockets on gate, control and platform, in this order; none where one of them cannot be had.

    Raises CannotListen (NoAddress where one is no address), which tells every address that cannot be had in one
    sentence, with the options to change: a demo that is ready in front of somebody else's server would show what that
    server does.
    """
    held: list[socket.socket] = []
    refused: dict[str, str] = {}
    kind: type[CannotListen] = CannotListen
    for option, address in zip(OPTIONS, addresses, strict=True):
        if address in addresses[: len(held) + len(refused)]:
            refused[option] = f"{address} is given twice: give {option} another one"
            kind = NoAddress
            continue
        try:
            held.append(listen(_tcp(address), setting=option))
        except CannotListen as error:
            refused[option] = str(error)
        except (ValueError, OverflowError):
            refused[option] = f"{address} is no address: give {option} as HOST:PORT"
            kind = NoAddress
    if not refused:
        return held
    for listener in held:
        listener.close()
    raise kind("; ".join(refused.values()))


def _tcp(address: str) -> str:
    """The address, as it is. Raises ValueError where it is not HOST:PORT: people open it, too."""
    host, _, port = address.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 1 << 16 or "/" in host:
        raise ValueError(address)
    return address


def accounts() -> list[dict[str, Any]]:
    """alice, bob and u1 to u200 are verified, carol is not, dave has little credit; mallory is blocked besides."""
    people = [{"sender": name, "verified": True} for name in ("alice", "bob", "mallory")]
    people += [{"sender": f"u{number}", "verified": True} for number in range(1, 201)]
    return [*people, {"sender": "carol", "verified": False}, {"sender": "dave", "verified": True, "credit": 20}]


def lay_out(data_dir: Path, addresses: Addresses) -> Path:
    """Copy configuration and lists into the data folder, so that one may edit them; lists that are there stay.

    The configuration is written anew each time, because the addresses stand in it; the key of what waits for a person
    is drawn once.
    """
    source = resources.files("gateway.demo")
    (data_dir / "lists").mkdir(parents=True, exist_ok=True)
    for name in ("spam.txt", "gambling.txt", "abuse.txt"):
        target = data_dir / "lists" / name
        if not target.exists():
            target.write_text(source.joinpath("lists", name).read_text(encoding="utf-8"), encoding="utf-8")
    key = data_dir / "review.key"
    if not key.exists():
        key.touch(mode=0o600)
        key.write_text(secrets.token_hex(32), encoding="ascii")
    text = source.joinpath("tidegate.toml").read_text(encoding="utf-8").replace("0" * 64, f"file:{key.name}")
    text = text.replace("127.0.0.1:8080", addresses.gate).replace("127.0.0.1:9000", addresses.platform)
    text = text.replace("127.0.0.1:8081", addresses.control)
    config = data_dir / "tidegate.toml"
    config.write_text(text, encoding="utf-8")
    return config


async def introduce(addresses: Addresses, token: str, name: str, data_dir: Path) -> str:
    """Tell the gate of the demo's people through its admin API, as a platform would, and let some of them write. What
    there is to say of the way in to the console."""
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(f"http://{addresses.control}", headers=headers, raise_for_status=True) as session:
        lines = b"\n".join(orjson.dumps(account) for account in accounts())
        answer = await session.post("/v1/accounts:import", params={"reason": REASON}, data=lines)
        await answer.read()
        asked = {"scope": "sender", "value": "mallory", "reason": REASON}
        blocks = await (await session.get("/v1/blocks", params=asked)).json()
        if not blocks["blocks"]:
            await session.post("/v1/blocks", json={**asked, "ground": "agreement 6.1"})
        await desk_samples.sample_cases(addresses.gate, session)
        if not sys.stdout.isatty():  # what is no terminal keeps what it is told
            return f"“tidegate people password {name} --data-dir {data_dir}” gives a password"
        password = await desk_samples.first_password(session, name)
        return f"as {name}, password shown this once: {password}" if password else f"as {name}, with your password"


async def run(data_dir: Path, addresses: Addresses) -> None:
    """Run everything until told to stop. Raises CannotListen before anything is started or written."""
    gate, control, listener = occupy(addresses)
    try:
        gate.close()  # the supervisor listens on these two itself, as soon as it has compiled
        control.close()
        config = lay_out(data_dir, addresses)
        await _serve(config, data_dir, addresses, listener)
    finally:
        listener.close()


async def _serve(config: Path, data_dir: Path, addresses: Addresses, listener: socket.socket) -> None:
    # The platform inherits its socket as workers do: nobody else can take the address while it starts, or starts again.
    argv = python("gateway.demo.platform", "--listen-fd", str(listener.fileno()))
    demo_platform = Child("platform", lambda: argv, inherit=lambda: [listener.fileno()])
    introductions: list[asyncio.Task[None]] = []

    def announce(generation: Generation) -> None:
        introductions.append(asyncio.create_task(welcome(generation)))

    async def welcome(generation: Generation) -> None:
        kept = supervisor.folders.first_token(generation.config)
        token = kept.read_text(encoding="ascii").strip()
        way_in = await introduce(addresses, token, generation.config.control.first_person, data_dir)
        typer.echo(f"platform  http://{addresses.platform}  (what stands behind the gate)")
        typer.echo(f"gate      http://{addresses.gate}/articles/1  (open this one)")
        typer.echo(f"control   http://{addresses.control}  (token in {kept})")
        typer.echo(f"console   http://{addresses.control}/console/  ({way_in})")
        typer.echo("ready")

    conversion.configure_logs(configuration.load(config), "supervisor")
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
