"""``tidegate node``: the nodes that share a control database."""

from __future__ import annotations

import asyncio
import getpass
from pathlib import Path
from typing import Annotated

import typer

from gateway.commands import places, terminal
from gateway.commands.admin.calling import (
    Caller,
    Reason,
    TokenFileOption,
    asks,
    called_by,
    group,
    path,
    refusal,
    wanted,
)
from gateway.commands.direct.state import configured
from gateway.commands.places import WRONG, ConfigOption, DataDirOption
from gateway.commands.terminal import Column
from gateway.common.folders import Folders
from gateway.config import Config
from gateway.control.acts.database import Database
from gateway.control.acts.refusal import ControlError, DatabaseInUse, DatabaseUnavailable
from gateway.control.api.client import CallRefused, ControlClient, address_of
from gateway.control.features import GOVERNANCE
from gateway.control.nodes.roll import retired_offline
from gateway.journal.write.ids import CONTROL, Ids

app = group("Nodes that share a control database: see them, take one out that is gone for good.")

WITHIN = 60.0  # seconds for control to answer
COLUMNS = (
    Column("number", whole=True),
    Column("lives", shown=lambda lives: "yes" if lives else "no"),
    Column("leads", shown=lambda leads: "yes" if leads else ""),
    Column("version", whole=True),
    Column("generation"),
    Column("older", shown=lambda older: "older" if older else "", title=""),
    Column("seen", shown=terminal.when, title="last seen"),
    Column("address"),
    Column("place"),
)


@asks(app, "list")
async def listed(caller: Caller) -> None:
    """Show the nodes of this control database: what each serves, and when it was last seen."""
    caller.rows((await caller.ask("GET", "/v1/nodes"))["nodes"], COLUMNS, "no nodes")


@app.command("retire")
def retire(
    node: Annotated[int, typer.Argument(help="Its number (server.node).")],
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    token_file: TokenFileOption = None,
    reason: Reason = "",
) -> None:
    """Take out a node that is gone for good, whether the gateway runs or not: its number is free for another data
    folder then."""
    loaded, told = configured(config, data_dir), wanted(reason)
    try:
        act = asyncio.run(_retire(loaded, Folders(data_dir or loaded.server.data_dir), node, told, token_file))
    except CallRefused as error:
        places.refuse(refusal(error), WRONG)
    except DatabaseUnavailable as error:
        places.refuse(str(error), WRONG)
    except ControlError as error:
        places.refuse(error.detail, WRONG)
    typer.echo(f"node {node} is retired (act {act})")


async def _retire(config: Config, folders: Folders, node: int, reason: str, token_file: Path | None) -> int:
    try:
        database = Database(folders.database(config))
    except DatabaseInUse:
        told = called_by(token_file, folders.first_token(config))
        async with ControlClient(address_of(config.control), told, within=WITHIN) as client:
            answer = await client.call("POST", path("/v1/nodes/{}:retire", node), {"reason": reason})
        return int(answer["act"])
    try:
        uid = Ids(config.server.node, CONTROL)()
        return await retired_offline(database, uid, node, getpass.getuser(), reason, GOVERNANCE)
    finally:
        database.close()
