"""``tidegate state``: what the state server says of itself, and what control writes into it.

Exit codes: 0 well, 1 found something wrong, 2 usage.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import getpass
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Literal

import typer
from redis.exceptions import RedisError

from gateway.commands import places
from gateway.commands.admin.calling import Reason, TokenFileOption, called_by, refusal, wanted
from gateway.commands.places import WRONG, ConfigOption, DataDirOption
from gateway.common.folders import Folders
from gateway.config import Config, ConfigError, load
from gateway.control.acts.authority import DatabaseBehind
from gateway.control.acts.refusal import DatabaseInUse, DatabaseUnavailable
from gateway.control.api.client import CallRefused, ControlClient, address_of
from gateway.control.features import GOVERNANCE
from gateway.control.node.schemas import Claimed, Rebuilt
from gateway.control.node.state_rebuild import claimed_offline, offline
from gateway.generation import generation
from gateway.state.cold import embedded
from gateway.state.cold.embedded import NoServer
from gateway.state.cold.owner import NotOurs, owner
from gateway.state.connecting import cold
from gateway.state.model.keys import Keys

app = typer.Typer(no_args_is_help=True, help="The state server and what is projected to it.")

WITHIN = 3600.0  # seconds for a rebuild; a million accounts take a minute or two


@app.command()
def status(
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Is state there, which epoch does it hold, and how much memory does it use?"""
    loaded = configured(config, data_dir)
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


def configured(config: Path | None, data_dir: Path | None) -> Config:
    """The configuration: as named; else the one in force in the data folder that is named, else as for every command.

    Ends the command where there is none.
    """
    held = Folders(data_dir) if config is None and data_dir is not None else None
    try:
        number = held.current() if held is not None and held.generations.is_dir() else 0
        return generation.load(held, number).config if held is not None and number else load(_named(config, held))
    except (ConfigError, OSError) as error:
        places.refuse(str(error))


def _named(config: Path | None, held: Folders | None) -> Path:
    if held is not None and not places.USUAL_CONFIG.is_file():
        places.refuse(f"{held.root} is not the data folder of a gateway: correct --data-dir, or name --config")
    return places.configuration(config)


async def _ask(config: Config, folder: Path) -> dict[str, Any]:
    keys = Keys(config.state.prefix)
    cluster = config.state.topology == "cluster"
    client = await cold(config.state, folder)
    try:
        epoch = await client.get(keys.epoch_at(0) if cluster else keys.epoch)
        version = await client.get(keys.version)
        whose = await owner(client, keys)
        told: dict[str, Any] = {
            "epoch": epoch.decode() if epoch is not None else "none",
            "snapshot": version.decode() if version is not None else "none",
            "keys": await client.dbsize(),
            "owner": str(whose) if whose is not None else "none",
        }
        if not cluster:
            server = await client.info()
            told["server"] = server.get("valkey_version") or server.get("redis_version")
            told["memory"] = server.get("used_memory_human")
            told["eviction"] = server.get("maxmemory_policy")
        return told
    finally:
        await client.aclose()


@app.command()
def claim(
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    token_file: TokenFileOption = None,
    reason: Reason = "",
) -> None:
    """Take over a state that belongs to another control database, and write everything anew; stop that one first."""
    claimed = Claimed.model_validate(_written("claimed", config, reason, data_dir, token_file))
    typer.echo(f"state is ours; it belonged to {claimed.taken_from}" if claimed.taken_from else "state is ours")
    typer.echo(f"{claimed.subjects} subjects written, snapshot version {claimed.version}")


@app.command()
def rebuild(
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    token_file: TokenFileOption = None,
    reason: Reason = "",
) -> None:
    """Write everything that state knows of governance anew, whether the gateway runs or not."""
    rebuilt = Rebuilt.model_validate(_written("rebuilt", config, reason, data_dir, token_file))
    typer.echo(f"{rebuilt.subjects} subjects written, snapshot version {rebuilt.version}")


def _written(
    what: Literal["claimed", "rebuilt"],
    config: Path | None,
    reason: str,
    data_dir: Path | None,
    token_file: Path | None,
) -> dict[str, Any]:
    """Do it, by ourselves or through the control process that runs; its result. Ends the command where it fails."""
    loaded = configured(config, data_dir)
    told = wanted(reason)
    folders = Folders(data_dir or loaded.server.data_dir)
    try:
        return asyncio.run(_write(what, loaded, folders, told, token_file))
    except CallRefused as error:
        places.refuse(refusal(error), WRONG)
    except (NoServer, NotOurs, DatabaseBehind, DatabaseUnavailable) as error:
        places.refuse(str(error), WRONG)
    except typer.Exit:
        raise
    except Exception as error:
        # The error's text may repeat what the state's url held.
        typer.echo(f"state was not {what} ({type(error).__name__}): does the server of [state] answer?", err=True)
        raise typer.Exit(WRONG) from None


async def _write(
    what: Literal["claimed", "rebuilt"], config: Config, folders: Folders, reason: str, token_file: Path | None
) -> dict[str, Any]:
    work = claimed_offline if what == "claimed" else offline
    path = "/v1/state:claim" if what == "claimed" else "/v1/state:rebuild"
    try:
        async with _server(config, folders, wanted=what == "claimed"):
            return (await work(config, folders, getpass.getuser(), reason, GOVERNANCE)).model_dump()
    except DatabaseInUse:
        return await _call(config, path, reason, called_by(token_file, folders.first_token(config)))


@contextlib.asynccontextmanager
async def _server(config: Config, folders: Folders, *, wanted: bool) -> AsyncIterator[None]:
    """An embedded state server that nobody has started, for as long as this takes: a gateway that was refused for whose
    state it is does not run."""
    if not wanted or config.state.url is not None or config.state.sentinel is not None or _runs(folders):
        yield
        return
    argv = embedded.prepare(folders.state, memory=config.state.memory, program=config.state.server)
    process = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.DEVNULL)
    try:
        await embedded.ready(folders.state)
        yield
    finally:
        process.terminate()
        await process.wait()


def _runs(folders: Folders) -> bool:
    """Whether a gateway runs in this data folder, which has a state server of its own then."""
    try:
        with folders.lock.open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


async def _call(config: Config, path: str, reason: str, told: str) -> dict[str, Any]:
    async with ControlClient(address_of(config.control), told, within=WITHIN) as client:
        result: dict[str, Any] = (await client.call("POST", path, {"reason": reason}))["result"]
    return result
