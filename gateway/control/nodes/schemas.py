"""What is said of nodes over the API."""

from __future__ import annotations

from pydantic import BaseModel, Field


class NodeOut(BaseModel):
    """A node of this control database."""

    number: int = Field(description="server.node of that node.")
    place: str = Field(description="Host and path of its data folder.")
    address: str = Field(description="control.listen of that node.")
    version: str
    generation: int = Field(description="The generation that it serves, by its own count.")
    since: int = Field(description="When that came into force there; microseconds since the epoch.")
    older: bool = Field(description="Whether another node serves other policies or lists that came later.")
    seen: int = Field(description="When its control was last there; microseconds since the epoch.")
    lives: bool = Field(description="Whether that is a few seconds ago, at most.")
    leads: bool = Field(description="Whether it does what one of them has to do for all.")


class NodesOut(BaseModel):
    nodes: list[NodeOut]
