"""The nodes of a control database, as control knows them."""

from __future__ import annotations

from gateway.control.access.roles import ADMINISTER, EVERYBODY, Permission
from gateway.control.calls.endpoint import Endpoint
from gateway.control.calls.feature import Feature
from gateway.control.nodes import endpoints
from gateway.control.nodes.rows import Lease, NodeRow

LOOK, RETIRE = Permission(EVERYBODY, "status:read"), Permission(ADMINISTER)

NODES = Feature(
    endpoints=(
        Endpoint("GET", "/v1/nodes", endpoints.listed, "List the nodes of this control database", LOOK),
        Endpoint("POST", "/v1/nodes/{node}:retire", endpoints.take_out, "Take out a node that has gone", RETIRE),
    ),
    rows=(NodeRow, Lease),
)
