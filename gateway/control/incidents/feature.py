"""Incidents, as control knows them."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.config import Config
from gateway.control.access.roles import EVERYBODY, LEAD, Permission
from gateway.control.acts.governance import Table
from gateway.control.calls.endpoint import Endpoint
from gateway.control.calls.feature import Feature, Surroundings
from gateway.control.incidents import endpoints, incident_states
from gateway.control.incidents.incident_settings import IncidentDesk
from gateway.control.incidents.incident_states import IncidentEnds
from gateway.control.incidents.rows import Incident


def opened(surroundings: Surroundings) -> Sequence[object]:
    """Ends are noted."""

    def config() -> Config:
        return surroundings.current().config

    ends = IncidentEnds(surroundings.ledger, lambda: config().desk.on_call is not None, surroundings.trusted_ns)
    return IncidentDesk(config), ends


READ, WRITE = Permission(EVERYBODY, "incidents:read"), Permission(LEAD, "incidents:write")
DECIDE = Permission(LEAD)  # for people alone: no machine publishes what was held for a person

INCIDENTS = Feature(
    endpoints=(
        Endpoint("GET", "/v1/incidents", endpoints.listed, "List incidents", READ),
        Endpoint("POST", "/v1/incidents:preview", endpoints.preview, "What an incident would touch", READ),
        Endpoint("POST", "/v1/incidents", endpoints.begin, "Begin an incident", WRITE),
        Endpoint("GET", "/v1/incidents/{id}", endpoints.get, "Read an incident, what it held, and its log", READ),
        Endpoint("POST", "/v1/incidents/{id}:extend", endpoints.extend, "Let an incident stand longer", WRITE),
        Endpoint("POST", "/v1/incidents/{id}:end", endpoints.end, "End an incident before its time", WRITE),
        Endpoint("POST", "/v1/incidents/{id}:release", endpoints.release, "Release what an incident held", DECIDE),
        Endpoint("POST", "/v1/incidents/{id}:expire", endpoints.expire, "Let what an incident held expire", DECIDE),
    ),
    tables=(Table(Incident, LEAD, snapshot=incident_states.snapshot, undo="changed", prune=incident_states.prune),),
    opened=opened,
)
