"""What is said of people and their acts over the API."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field, StringConstraints

from gateway.control.calls.schemas import Reasoned, Why


class PersonNew(Reasoned):
    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$")]


class PersonOut(BaseModel):
    name: str
    created_at: int


class PersonMade(PersonOut):
    token: str = Field(description="Shown this once.")


class PeopleOut(BaseModel):
    people: list[PersonOut]


class ActsQuery(Why):
    before: int | None = Field(None, ge=1, description="Acts with a lower number only.")
    kind: str | None = None
    limit: int = Field(50, ge=1, le=500)


class ActOut(BaseModel):
    act: int = Field(validation_alias="id")
    id: str = Field(validation_alias="uid", description="Its id in the journal.")
    person: str
    reason: str
    at: int = Field(description="Microseconds since the epoch.")
    kind: str
    subject: str
    changes: list[dict[str, Any]]
    undoes: int | None
    undone_by: int | None


class ActsOut(BaseModel):
    acts: list[ActOut]


class Undone(BaseModel):
    undone: int
    lasting: list[str] = Field([], description="What such an act changed and nobody can undo.")
