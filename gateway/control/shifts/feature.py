"""Hand-over, as control knows it."""

from __future__ import annotations

from gateway.control.access.roles import LEAD, OVERSEE, Permission
from gateway.control.acts.governance import Table
from gateway.control.calls.endpoint import Endpoint
from gateway.control.calls.feature import Feature
from gateway.control.shifts import endpoints, shift_report
from gateway.control.shifts.rows import ShiftNote

SHIFTS = Feature(
    endpoints=(
        Endpoint(
            "GET", "/v1/handover", endpoints.read, "What whoever leads next has to know",
            Permission(OVERSEE, "cases:read"),
        ),
        Endpoint("POST", "/v1/handover", endpoints.write, "Write a note for whoever leads next", Permission(LEAD)),
    ),
    tables=(Table(ShiftNote, LEAD, prune=shift_report.prune),),
)  # fmt: skip
