"""``tidegate state rebuild``. Exit codes: 0 well, 1 found something wrong, 2 usage."""

from __future__ import annotations

import asyncio
import getpass
from pathlib import Path
from typing import Annotated

import typer

from gateway.common.folders import Folders
from gateway.config import Config, ConfigError, load
from gateway.control.acts.database import DatabaseInUse
from gateway.control.api.client import Client, Refused
from gateway.control.features import GOVERNANCE
from gateway.control.node.rebuild import offline
from gateway.control.node.schemas import Rebuilt

WRONG, USAGE = 1, 2
WITHIN = 3600.0  # seconds; a million accounts take a minute or two


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
    except Refused as error:
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
        return await _ask(config, reason, token_file or folders.first_token(config))


async def _ask(config: Config, reason: str, token_file: Path) -> Rebuilt:
    try:
        own = token_file.read_text(encoding="ascii").strip()  # noqa: ASYNC240 - one small file, before anything runs
    except OSError as error:
        why = f"control runs, and {token_file} cannot be read ({error.strerror}): name yours with --token-file"
        raise Refused(why) from None
    async with Client(config, own, within=WITHIN) as client:
        told = await client.call("POST", "/v1/state:rebuild", {"reason": reason})
    return Rebuilt(**told["result"])
