"""``tidegate state``: what the state server says of itself, and what control writes into it.

Exit codes: 0 well, 1 found something wrong, 2 usage.
"""

from __future__ import annotations

import asyncio
import getpass
from pathlib import Path
from typing import Annotated, Any

import typer
from redis.exceptions import RedisError

from gateway.common.folders import Folders
from gateway.config import Config, ConfigError, load
from gateway.control.acts.database import DatabaseInUse
from gateway.control.api.client import CallRefused, ControlClient
from gateway.control.features import GOVERNANCE
from gateway.control.node.schemas import Rebuilt
from gateway.control.node.state_rebuild import offline
from gateway.state.connecting import cold
from gateway.state.model.keys import Keys

app = typer.Typer(no_args_is_help=True, help="The state server and what is projected to it.")

WRONG, USAGE = 1, 2
WITHIN = 3600.0  # seconds for a rebuild; a million accounts take a minute or two


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


@app.command()
def rebuild(
    config: Annotated[Path, typer.Option("--config", "-c", help="The configuration file.", show_default=False)],
    reason: Annotated[str, typer.Option(help="Why; goes on record with your name.", show_default=False)],
    data_dir: Annotated[
        Path | None, typer.Option(help="Folder for all that is kept; server.data_dir if unset.")
    ] = None,
    token_file: Annotated[
        Path | None, typer.Option(help="Your token, for a gateway that runs; the first person's if unset.")
    ] = None,
) -> None:
    """Write everything that state knows of governance anew, whether the gateway runs or not."""
    try:
        loaded = load(config)
    except ConfigError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(USAGE) from None
    if not reason.strip():
        typer.echo("--reason must say why", err=True)
        raise typer.Exit(USAGE)
    folders = Folders(data_dir or loaded.server.data_dir)
    try:
        rebuilt = asyncio.run(_rebuild(loaded, folders, reason.strip(), token_file))
    except CallRefused as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(WRONG) from None
    except Exception as error:
        # The error's text may repeat what the state's url held.
        typer.echo(f"state was not rebuilt ({type(error).__name__}): does the server of [state] answer?", err=True)
        raise typer.Exit(WRONG) from None
    typer.echo(f"{rebuilt.subjects} subjects written, snapshot version {rebuilt.version}")


async def _rebuild(config: Config, folders: Folders, reason: str, token_file: Path | None) -> Rebuilt:
    try:
        return await offline(config, folders, getpass.getuser(), reason, GOVERNANCE)
    except DatabaseInUse:
        return await _call(config, reason, token_file or folders.first_token(config))


async def _call(config: Config, reason: str, token_file: Path) -> Rebuilt:
    try:
        own = token_file.read_text(encoding="ascii").strip()  # noqa: ASYNC240 - one small file, before anything runs
    except OSError as error:
        why = f"control runs, and {token_file} cannot be read ({error.strerror}): name yours with --token-file"
        raise CallRefused(why) from None
    async with ControlClient(config, own, within=WITHIN) as client:
        told = await client.call("POST", "/v1/state:rebuild", {"reason": reason})
    return Rebuilt(**told["result"])
