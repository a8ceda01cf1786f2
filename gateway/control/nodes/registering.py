"""A node's number and its data folder belong together, in the database as in the folder.

On a file there is one node, and whatever stands there is this one's. On a server a number that another folder has is
refused until somebody says that that node is gone for good (``tidegate node retire``), and a folder that is at two
places at once, a copy, is refused at the second.
"""

from __future__ import annotations

from importlib.metadata import version
from socket import gethostname
from typing import Final, NamedTuple

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from gateway.common.folders import Folders
from gateway.config import Config
from gateway.control.nodes.database_clock import clock_us
from gateway.control.nodes.leading import given_back
from gateway.control.nodes.rows import NodeRow
from gateway.node.folder_number import folder_id

LIVING_US: Final = 10_000_000  # since it was last seen: longer, and its work is done by others


class ThisNode(NamedTuple):
    """What a node says of itself. ``folder`` and ``place``: as in ``NodeRow``."""

    number: int
    folder: str
    place: str
    address: str
    version: str


def this_node(config: Config, folders: Folders) -> ThisNode:
    """The node of this data folder. Raises ``OtherNumber``, ``OSError``."""
    number = config.server.node
    place = f"{gethostname()}:{folders.root}"[:512]
    return ThisNode(number, folder_id(folders.identity, number), place, config.control.listen, version("tidegate"))


def obstacle(session: Session, node: ThisNode) -> str:
    """Why this node must not start; empty where it may."""
    for row in session.scalars(select(NodeRow).order_by(NodeRow.number)):
        if row.number == node.number and row.folder != node.folder:
            return (
                f"node {node.number} is another data folder ({row.place}) in the control database: set another "
                f"server.node, or say “tidegate node retire {node.number}” where that folder is gone for good"
            )
        if row.folder == node.folder and row.number != node.number:
            return f"this data folder is node {row.number} in the control database, and server.node is {node.number}"
        if row.folder == node.folder and row.place != node.place and clock_us(session) - row.seen < LIVING_US:
            return (
                f"node {node.number} runs at {row.place}, and this data folder is a copy of that one: start in a "
                "folder of its own"
            )
    return ""


def registered(session: Session, node: ThisNode, generation: int, compiled: str, ago: int, *, alone: bool) -> str:
    """Put this node into its row; why it must not start, where it must not. ``ago``: µs for which it serves this;
    ``alone``: nobody else can be here."""
    if alone:
        session.execute(delete(NodeRow).where((NodeRow.number != node.number) | (NodeRow.folder != node.folder)))
    else:
        found = obstacle(session, node)
        if found:
            return found
    now = clock_us(session)
    row = session.get(NodeRow, node.number)
    if row is None:
        row = NodeRow(number=node.number, folder=node.folder, compiled="", since=0)
        session.add(row)
    row.place, row.address, row.version = node.place, node.address, node.version
    served(row, generation, compiled, ago, now)
    # One that died as the leader is not waited for by the one that comes in its place.
    given_back(session, lambda holder: holder.partition(":")[0] == str(node.number))
    return ""


def served(row: NodeRow, generation: int, compiled: str, ago: int, now: int) -> None:
    """It is here, and serves this for so many µs."""
    if row.compiled != compiled:
        row.compiled, row.since = compiled, now - ago
    row.generation = generation
    row.seen = now
