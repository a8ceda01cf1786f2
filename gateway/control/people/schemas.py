"""What is said of people, machines and their acts over the API."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StringConstraints

from gateway.control.access.roles import Role
from gateway.control.calls.schemas import MOST, Given, Gone, Reasoned, Why

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$")]

RolesGiven = Annotated[
    list[Role], Field(min_length=1, max_length=len(Role), description="One is enough; each may its own.")
]


PasswordState = Literal["none", "once", "own"]


class PersonNew(Reasoned):
    name: Name
    roles: RolesGiven


class RolesPut(Reasoned):
    roles: RolesGiven


class PersonOut(BaseModel):
    name: str
    created_at: int
    roles: list[str]
    roles_given: bool = Field(description="False: an admin of before there were roles, until somebody gives some.")
    password: PasswordState = Field(
        "none", description="For the console: none; one that was given, and has to be changed (once); their own."
    )


class PersonMade(PersonOut):
    token: str = Field(description="Shown this once.")


class PasswordGiven(BaseModel):
    person: str
    password: str = Field(description="Shown this once. It opens the page on which its owner chooses another.")


class PasswordChosen(Given):
    """One's own, by whoever proves to be that person: by their token, or at the console."""

    password: str = Field(min_length=1, max_length=512)


class PasswordChanged(BaseModel):
    changed: bool = True


class PersonGone(Gone):
    tokens: list[str] = Field(description="Of the machines that the person answered for: they are gone too.")


class PeopleOut(BaseModel):
    people: list[PersonOut]


class TokenNew(Reasoned):
    name: Name
    scopes: list[Annotated[str, StringConstraints(max_length=64)]] = Field(min_length=1, max_length=64)


class TokenOut(BaseModel):
    name: str
    scopes: list[str]
    made_by: str = Field(description="Who answers for it.")
    created_at: int
    idle: list[str] = Field(description="Scopes of which whoever answers for it may nothing, or nothing more.")


class TokenMade(TokenOut):
    token: str = Field(description="Shown this once.")


class TokensOut(BaseModel):
    tokens: list[TokenOut]


class MeOut(BaseModel):
    """Who asks. ``token``: the machine's, or null; ``scopes``: its own, or null."""

    person: str
    roles: list[str]
    token: str | None
    scopes: list[str] | None
    may: list[str] = Field(description="Endpoints, as “GET /v1/blocks”.")


class ActsQuery(Why):
    before: int | None = Field(None, ge=1, le=MOST, description="Acts with a lower number only.")
    kind: str | None = None
    limit: int = Field(50, ge=1, le=500)


class ActOut(BaseModel):
    act: int = Field(validation_alias="id")
    id: str = Field(validation_alias="uid", description="Its id in the journal.")
    person: str
    token: str | None = Field(description="Of the machine that did it, for which the person answers.")
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
