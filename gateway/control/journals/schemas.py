"""What another node asks of this one's journal."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from gateway.control.calls.schemas import Given
from gateway.journal.write.ids import NODES
from gateway.replicas.copying.fetched import MAX_FOLDERS, MAX_PLACES
from gateway.replicas.copying.settings import LEAST_CHUNK, MOST_CHUNK

MAX_WAIT = 5.0  # seconds: control must be able to end

FolderName = Annotated[str, StringConstraints(max_length=16)]


class PlaceAsked(Given):
    """How far a copy goes in one folder."""

    segment: str = Field(max_length=64)
    offset: int = Field(ge=0, lt=1 << 60)
    before: str = Field(max_length=64, description="Digest of the last 4096 bytes up to the offset.")


class JournalAsked(Given):
    """What follows the places; of several in one folder, the first that is what stands here."""

    node: int = Field(ge=0, le=NODES - 1, description="The number of the node that asks.")
    folders: dict[FolderName, Annotated[list[PlaceAsked], Field(max_length=MAX_PLACES)]] = Field(
        max_length=MAX_FOLDERS, description="By folder; of those that are not named everything is given."
    )
    wait: float = Field(0.0, ge=0, le=MAX_WAIT, description="Seconds to wait while there is nothing new.")
    most: int = Field(
        LEAST_CHUNK, ge=LEAST_CHUNK, le=MOST_CHUNK, description="About how many bytes; a longer line comes whole."
    )
