"""``tidegate upgrade``: another version takes over the running node, or the reasons why not.

It speaks to the supervisor's own socket, which is for the node's user only. Which program a machine executes is not to
be said over the network, by whomever.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.commands import places, terminal
from gateway.commands.places import WRONG, ConfigOption, DataDirOption
from gateway.common import channel
from gateway.common.folders import Folders

TRIAL_WITHIN = 900.0  # seconds: lists are compiled by the new program
RENEWED_WITHIN = 900.0
UNDER_WAY = ("trial", "renewing", "returning")
GONE = "none"  # as a node says it that was never upgraded
EVERY = 0.2  # seconds between two looks


def upgrade(
    program: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            show_default=False,
            help="The program that takes over; else the one that the node was started with, which may be newer now.",
        ),
    ] = None,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Let another version take over the running node: same process, no failed request. What cannot is refused, and
    nothing changes; the exit code is 1 then. Run it as the node's user, where the node runs."""
    folders = places.folders(config, data_dir)
    path = folders.supervisor_socket
    asked = {"command": "upgrade", "program": str(program.absolute()) if program is not None else ""}
    try:
        answer = asyncio.run(channel.call(path, asked, timeout=TRIAL_WITHIN))
    except channel.ChannelError as error:
        places.refuse(f"no node answers at {path} ({error.cause}): name its folder with --data-dir", WRONG)
    except OSError as error:
        places.refuse(f"{path}: {error.strerror}: run this as the node's user", WRONG)
    if not answer.get("ok"):
        _refused(list(answer.get("problems", ())) or [str(answer.get("error"))])
    typer.echo(f"{answer['from']} → {answer['to']}: tried, taking over", err=True)
    told = _until_over(folders)
    if told.get("state") == GONE:
        places.refuse("the node ends, or began anew meanwhile: its log says why", WRONG)
    if told.get("state") != "done":
        _refused(list(told.get("problems", ())) or ["the node does not say what became of it; its log does"])
    typer.echo(f"version {told['to']} serves")


def _until_over(folders: Folders) -> dict[str, Any]:
    """What the supervisor says at last; nobody answers while one program follows the other, but the node is there.
    ``GONE`` where it is not, or is about to end, or where another life of it knows of no upgrade."""
    until = time.monotonic() + RENEWED_WITHIN
    told: dict[str, Any] = {}
    while time.monotonic() < until:
        time.sleep(EVERY)
        try:
            path = folders.supervisor_socket
            status = asyncio.run(channel.call(path, {"command": "status"}, timeout=5.0))
        except (channel.ChannelError, OSError):
            if not folders.in_use:
                return {"state": GONE}
            continue
        if status.get("stopping"):
            return {"state": GONE}
        told = status.get("upgrade", {})
        if told.get("state") not in UNDER_WAY:
            break
    return told


def _refused(problems: list[str]) -> None:
    for problem in problems:
        typer.echo(terminal.visible(problem), err=True)
    typer.echo("the version before serves on: nothing has changed", err=True)
    raise typer.Exit(WRONG)
