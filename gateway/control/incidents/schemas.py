"""What is said of incidents over the API."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field, model_validator

from gateway.control.calls.schemas import MOST, Given, Ground, Ident, Reasoned
from gateway.control.incidents.incident_held import AT_ONCE

MOST_PLACES = 100
LONGEST = 30 * 86400

Scope = Literal["all", "routes", "rooms"]


class IncidentAsked(Given):
    """Where, what, and until when."""

    scope: Scope
    places: list[Ident] = Field([], max_length=MOST_PLACES, description="Names of routes or rooms; none for all.")
    hold: bool = Field(False, description="What would pass waits for a person.")
    freeze: bool = Field(False, description="Nothing is published.")
    pace: float = Field(0, ge=0, le=86400, description="Seconds between two messages of a sender on a route; 0: none.")
    level: int | None = Field(
        None, ge=0, le=100, description="Only members whose credit level is at least this write; empty: everybody."
    )
    seconds: int = Field(ge=1, le=LONGEST, description="How long it stands, from now; desk.longest_incident at most.")

    @model_validator(mode="after")
    def _something_somewhere(self) -> IncidentAsked:
        if (self.scope == "all") == bool(self.places):
            raise ValueError("name the places, or the scope all without any")
        if not (self.hold or self.freeze or self.pace or self.level is not None):
            raise ValueError("name a measure: hold, freeze, pace or level")
        if 0 < self.pace < 0.001:
            raise ValueError("a pace is at least a millisecond")
        return self


class IncidentNew(IncidentAsked, Reasoned):
    ground: Ground


class IncidentExtended(Reasoned):
    seconds: int = Field(ge=1, le=LONGEST, description="How long it stands from now on.")


class RouteTouched(BaseModel):
    route: str
    holds: bool = Field(description="Whether messages can wait for a person here; where not, a hold refuses them.")


class IncidentPreview(BaseModel):
    """What an incident would touch."""

    routes: list[RouteTouched] = Field(description="Of rooms: every judged route, whose rooms are whose it says.")
    unheld: list[str] = Field(description="Of them those on which a hold refuses, because nothing can wait.")
    delayed: int = Field(description="Messages on this node that wait for their route's delay now.")
    longest: float = Field(description="Seconds that it may stand at most before somebody extends it.")
    standing: list[int] = Field(description="Incidents that stand already.")


class HeldCounts(BaseModel):
    """Of what it held, what waits."""

    ready: int = Field(description="What can be released, or let expire, in bulk.")
    claimed: int = Field(description="Left out: somebody has claimed them.")
    decided: int = Field(description="Left out: decided, and not in effect.")
    apart: int = Field(description="Left out: something else came up about them; each needs a look.")
    kept: int = Field(description="Left out: you may not decide on them.")
    at_once: int = Field(AT_ONCE, description="How many one act decides at most.")


class IncidentOut(BaseModel):
    """Times in microseconds since the epoch."""

    id: int
    state: Literal["standing", "over"]
    scope: Scope
    places: list[str]
    hold: bool
    freeze: bool
    pace: float
    level: int | None
    ground: str
    reason: str
    opened_by: str
    begun_at: int
    ends_at: int
    ended_at: int | None
    ended_by: str
    waiting: int = Field(description="Messages that it held and that wait still.")


class IncidentAct(BaseModel):
    """One line of its log."""

    act: int
    at: int
    person: str
    kind: str
    reason: str
    undone: bool


class IncidentShown(IncidentOut):
    held: HeldCounts
    became: dict[str, int] = Field(description="What became of all that it held, by state.")
    log: list[IncidentAct]


class IncidentsQuery(Given):
    state: Literal["standing", "over", "all"] = "standing"
    limit: int = Field(50, ge=1, le=200)


class IncidentsOut(BaseModel):
    incidents: list[IncidentOut]


class HeldDecided(Reasoned):
    count: int = Field(ge=1, le=MOST, description="ready, as it was told; where it is another now, nothing is done.")


class HeldDone(BaseModel):
    """What an act on what was held did, and what it left."""

    done: int
    left: HeldCounts
