"""Emergency switches and urgent words, as control knows them."""

from __future__ import annotations

from gateway.control.access.roles import EDIT_LISTS, EVERYBODY, LEAD, Permission
from gateway.control.acts.governance import Table
from gateway.control.calls.endpoint import Endpoint
from gateway.control.calls.feature import Feature
from gateway.control.switches import endpoints
from gateway.control.switches.rows import Switch, UrgentWord
from gateway.control.switches.snapshot import switches, urgent

READ, WRITE = Permission(EVERYBODY, "switches:read"), Permission(LEAD, "switches:write")
READ_WORDS, WRITE_WORDS = Permission(EVERYBODY, "urgent-words:read"), Permission(EDIT_LISTS, "urgent-words:write")

SWITCHES = Feature(
    endpoints=(
        Endpoint("GET", "/v1/switches", endpoints.listed, "List emergency switches", READ),
        Endpoint("POST", "/v1/switches", endpoints.freeze, "Freeze a room or a route", WRITE),
        Endpoint("DELETE", "/v1/switches/{id}", endpoints.unfreeze, "Lift an emergency switch", WRITE),
        Endpoint("GET", "/v1/urgent-words", endpoints.urgent, "List urgent words", READ_WORDS),
        Endpoint("POST", "/v1/urgent-words", endpoints.add_urgent, "Refuse a word at once, everywhere", WRITE_WORDS),
        Endpoint("DELETE", "/v1/urgent-words/{id}", endpoints.remove_urgent, "Lift an urgent word", WRITE_WORDS),
    ),
    tables=(Table(Switch, LEAD, snapshot=switches), Table(UrgentWord, EDIT_LISTS, snapshot=urgent)),
)
