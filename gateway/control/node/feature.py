"""The node itself: rebuilding state, health, metrics."""

from __future__ import annotations

from gateway.control.access.roles import ADMINISTER, EVERYBODY, OPEN, Permission
from gateway.control.calls.endpoint import Endpoint
from gateway.control.calls.feature import Feature
from gateway.control.node import endpoints, glance
from gateway.control.node.schemas import Ready

REBUILD = Permission(ADMINISTER, "state:write")
CLAIM = Permission(ADMINISTER)  # it may give up acts for good: no machine
LOOK = Permission(EVERYBODY, "status:read")

STATE = Feature(
    endpoints=(
        Endpoint("POST", "/v1/state:rebuild", endpoints.rebuild_state, "Write state's governance data anew", REBUILD),
        Endpoint("POST", "/v1/state:claim", endpoints.claim_state, "Take over a state of another database", CLAIM),
    ),
)
HEALTH = Feature(
    endpoints=(
        Endpoint("GET", "/v1/status", glance.status, "This node at a glance", LOOK),
        Endpoint("GET", "/healthz", endpoints.alive, "Is control alive?", OPEN),
        Endpoint("GET", "/readyz", endpoints.ready, "Is this node fit for traffic?", OPEN, gives=Ready),
        Endpoint("GET", "/metrics", endpoints.metrics, "Metrics for Prometheus", OPEN, gives="text/plain"),
    ),
)
