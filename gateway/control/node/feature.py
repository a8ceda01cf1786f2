"""The node itself: rebuilding state, health, metrics."""

from __future__ import annotations

from gateway.control.calls.endpoint import Endpoint
from gateway.control.calls.feature import Feature
from gateway.control.node import endpoints, glance
from gateway.control.node.schemas import Ready

STATE = Feature(
    endpoints=(
        Endpoint("POST", "/v1/state:rebuild", endpoints.rebuild_state, "Write state's governance data anew"),
        Endpoint("POST", "/v1/state:claim", endpoints.claim_state, "Take over a state that is another database's"),
    ),
)
HEALTH = Feature(
    endpoints=(
        Endpoint("GET", "/v1/status", glance.status, "This node at a glance"),
        Endpoint("GET", "/healthz", endpoints.alive, "Is control alive?", open=True),
        Endpoint("GET", "/readyz", endpoints.ready, "Is this node fit for traffic?", open=True, gives=Ready),
        Endpoint("GET", "/metrics", endpoints.metrics, "Metrics for Prometheus", open=True, gives="text/plain"),
    ),
)
