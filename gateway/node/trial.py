"""``tidegate run --trial``: could this program take over the node that runs with this data folder?

It is asked by the program that it would replace, which has no other way to know: everything that this one will run is
imported, the configuration is compiled to a generation of this program's own, and what is on disk must be readable. It
prints one line of JSON, and changes nothing that is in force.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from gateway.common.folders import Folders
from gateway.generation.generation import CompileFailed, compile_aside
from gateway.node.handover import HANDED, ON_TRIAL, READS, received

PARTS: Final = (
    "gateway.worker.__main__", "gateway.control.__main__", "gateway.mirror.__main__", "gateway.replicas.__main__",
)  # fmt: skip
SCHEMA: Final = "gateway.control.acts.schema"
"""Says whether this program can work with a control database; see ``problem`` there."""


async def trial(config_path: Path, data_dir: Path, may_shrink: Collection[str]) -> dict[str, Any]:
    """What is printed: version, the formats of a handover that can be read, the generation, and every problem."""
    told: dict[str, Any] = {"version": version("tidegate"), "handovers": READS, "generation": 0, "problems": []}
    problems: list[str] = told["problems"]
    folders = Folders(data_dir)
    if not folders.in_use:
        problems.append(f"{folders.root} is no folder of a running node: server.data_dir must stay as it was")
        return told
    try:
        received({HANDED: os.environ.get(ON_TRIAL, "")})
    except Exception as error:  # of whatever kind: it would end the process
        problems.append(f"what would be handed over cannot be read: {type(error).__name__}: {error}")
    for part in PARTS:
        try:
            import_module(part)
        except Exception as error:  # of whatever kind: it would end the process
            problems.append(f"{part} cannot be imported: {type(error).__name__}: {error}")
    if problems:
        return told
    try:
        made = await compile_aside(config_path, folders, may_shrink)
    except CompileFailed as failure:
        problems += failure.problems
        return told
    told["generation"] = made.number
    problem = import_module(SCHEMA).problem(folders.database(made.config))
    if problem:
        problems.append(problem)
    return told
