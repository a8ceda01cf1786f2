"""Emergency switches and urgent words, as control knows them."""

from __future__ import annotations

from gateway.control.acts.governance import Table
from gateway.control.calls.endpoint import Endpoint
from gateway.control.calls.feature import Feature
from gateway.control.switches import endpoints
from gateway.control.switches.rows import Switch, UrgentWord
from gateway.control.switches.snapshot import switches, urgent

SWITCHES = Feature(
    endpoints=(
        Endpoint("GET", "/v1/switches", endpoints.listed, "List emergency switches"),
        Endpoint("POST", "/v1/switches", endpoints.freeze, "Freeze a room or a route"),
        Endpoint("DELETE", "/v1/switches/{id}", endpoints.unfreeze, "Lift an emergency switch"),
        Endpoint("GET", "/v1/urgent-words", endpoints.urgent, "List urgent words"),
        Endpoint("POST", "/v1/urgent-words", endpoints.add_urgent, "Refuse a word at once, everywhere"),
        Endpoint("DELETE", "/v1/urgent-words/{id}", endpoints.remove_urgent, "Lift an urgent word"),
    ),
    tables=(Table(Switch, snapshot=switches), Table(UrgentWord, snapshot=urgent)),
)
