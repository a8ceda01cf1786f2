"""Obligations, as control knows them."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.control.access.roles import EVERYBODY, Permission
from gateway.control.calls.endpoint import Endpoint
from gateway.control.calls.feature import Feature, Surroundings
from gateway.control.obligations import endpoints
from gateway.control.obligations.generation_table import GenerationTable


def opened(surroundings: Surroundings) -> Sequence[object]:
    """The table of the generation in force."""
    return (GenerationTable(surroundings.current),)


OBLIGATIONS = Feature(
    endpoints=(
        Endpoint(
            "GET", "/v1/obligations", endpoints.read, "How each route stands to each article of the regulations",
            Permission(EVERYBODY, "obligations:read"),
        ),
    ),
    opened=opened,
)  # fmt: skip
