"""Restoring, as control knows it."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.config import Config
from gateway.control.access.roles import MODERATE, Permission
from gateway.control.calls.endpoint import Endpoint
from gateway.control.calls.feature import Feature, Surroundings
from gateway.control.holding.seals import seals
from gateway.control.restoring import endpoints
from gateway.control.restoring.coming_back import Restoring


def opened(surroundings: Surroundings) -> Sequence[object]:
    """What is restored moves on by itself: see ``gateway.control.releasing``."""

    def config() -> Config:
        return surroundings.current().config

    return (Restoring(surroundings.folders.journal(surroundings.config), config, seals(config), surroundings.ids),)


# For people alone: no machine publishes what a person took down.
RESTORING = Feature(
    endpoints=(
        Endpoint(
            "POST", "/v1/takedowns/{id}:restore", endpoints.restore, "Bring back what was taken down",
            Permission(MODERATE),
        ),
    ),
    opened=opened,
)  # fmt: skip
