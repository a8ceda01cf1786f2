"""``tidegate state status``. Exit codes: 0 well, 1 found something wrong, 2 usage."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer
from redis.exceptions import RedisError

from gateway.common.folders import Folders
from gateway.config import Config, ConfigError, load
from gateway.state.connecting import cold
from gateway.state.model.keys import Keys

app = typer.Typer(no_args_is_help=True, help="The state server and what is projected to it.")

WRONG, USAGE = 1, 2


@app.callback()
def state() -> None:
    """Keeps ``status`` a sub-command while it is the only one here."""


@app.command()
def status(
    config: Annotated[Path, typer.Option("--config", "-c", help="The configuration file.", show_default=False)],
    data_dir: Annotated[
        Path | None, typer.Option(help="Folder for all that is kept; server.data_dir if unset.")
    ] = None,
) -> None:
    """Is state there, which epoch does it hold, and how much memory does it use?"""
    try:
        loaded = load(config)
    except ConfigError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(USAGE) from None
    try:
        told = asyncio.run(_ask(loaded, Folders(data_dir or loaded.server.data_dir).state))
    except (RedisError, OSError) as error:
        # The error's text may repeat what the url held.
        typer.echo(f"state does not answer ({type(error).__name__}): start it, or correct [state]", err=True)
        raise typer.Exit(WRONG) from None
    for name, value in told.items():
        typer.echo(f"{name:10} {value}")
    if told["epoch"] == "none":
        typer.echo("state holds no governance data: run “tidegate state rebuild”", err=True)
        raise typer.Exit(WRONG)


async def _ask(config: Config, folder: Path) -> dict[str, Any]:
    keys = Keys(config.state.prefix)
    cluster = config.state.topology == "cluster"
    client = await cold(config.state, folder)
    try:
        epoch = await client.get(keys.epoch_at(0) if cluster else keys.epoch)
        version = await client.get(keys.version)
        told: dict[str, Any] = {
            "epoch": epoch.decode() if epoch is not None else "none",
            "snapshot": version.decode() if version is not None else "none",
            "keys": await client.dbsize(),
        }
        if not cluster:
            server = await client.info()
            told["server"] = server.get("valkey_version") or server.get("redis_version")
            told["memory"] = server.get("used_memory_human")
        return told
    finally:
        await client.aclose()
