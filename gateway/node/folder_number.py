"""Whose number a data folder has: written into it at its first start, with an id of its own.

Ids of messages, folders of journals and what a control database knows of its nodes name the number. A folder that was
started under another one would write as two nodes, and two folders under one number would be taken for the same.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from uuid import uuid4

from filters.model.errors import TidegateError


class OtherNumber(TidegateError):
    """The data folder, or the number, belongs to another node; the text says to which, and what can be done."""


def folder_id(file: Path, number: int) -> str:
    """The folder's id; both are written where the folder has none. Raises ``OtherNumber``, ``OSError``."""
    try:
        told = json.loads(file.read_bytes())
        held, found = int(told["node"]), str(told["id"])
    except FileNotFoundError:
        return _written(file, number)
    except (ValueError, KeyError, TypeError):
        raise OtherNumber(
            f"{file} cannot be read: it says which node this data folder is; restore it from a backup"
        ) from None
    if held != number:
        raise OtherNumber(
            f"the data folder {file.parent} is node {held}'s, and server.node is {number}: set server.node = {held}, "
            "or start in a folder of its own"
        )
    return found


def _written(file: Path, number: int) -> str:
    made = str(uuid4())
    aside = file.with_name(file.name + ".new")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as out:
        json.dump({"node": number, "id": made}, out)
        out.flush()
        os.fsync(descriptor)
    aside.replace(file)
    return made
