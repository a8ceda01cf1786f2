"""Appeals, as control knows them: where they are filed, who decides them, what follows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from gateway.appeals.codes import Codes
from gateway.config import Config
from gateway.control.access.roles import MODERATE, OVERSEE, SEE_SENDERS, Permission
from gateway.control.adapters.journal import append
from gateway.control.appeals import appeals, endpoints
from gateway.control.appeals.appeal_site import AppealSite
from gateway.control.appeals.appealed_messages import RefusalsInJournal
from gateway.control.appeals.filing import AppealDesk
from gateway.control.appeals.rows import Appeal, AppealEvent
from gateway.control.calls.endpoint import Endpoint
from gateway.control.calls.feature import Feature, Surroundings
from gateway.control.holding.seals import seals
from gateway.control.restoring.coming_back import Restoring
from gateway.generation import conversion


def opened(surroundings: Surroundings) -> Sequence[object]:
    """The desk that moves appeals on, and the site on which they are filed."""
    folders = surroundings.folders

    def config() -> Config:
        return surroundings.current().config

    def codes() -> Codes | None:
        return conversion.appeal_codes_of(config(), folders.salt)

    messages = RefusalsInJournal(folders.journal(surroundings.config), codes)
    record = partial(append, surroundings.writer)
    restoring = Restoring(folders.journal(surroundings.config), config, seals(config), surroundings.ids)
    desk = AppealDesk(surroundings.ledger, messages, lambda: config().appeals, record, restoring=restoring)
    return desk, AppealSite(folders.appeals_socket, desk, config)


DECIDE, READ = Permission(MODERATE), Permission(SEE_SENDERS)
LIST = Permission(MODERATE | OVERSEE, "appeals:read")

APPEALS = Feature(
    endpoints=(
        Endpoint("GET", "/v1/appeals", endpoints.listed, "List appeals", LIST),
        Endpoint("GET", "/v1/appeals/{id}", endpoints.get, "Read an appeal with its message", READ),
        Endpoint("POST", "/v1/appeals/{id}:claim", endpoints.claim, "Claim an appeal", DECIDE),
        Endpoint("POST", "/v1/appeals/{id}:release", endpoints.give_back, "Give an appeal back", DECIDE),
        Endpoint("POST", "/v1/appeals/{id}:escalate", endpoints.escalate, "Hand an appeal to a lead", DECIDE),
        Endpoint("POST", "/v1/appeals/{id}:decide", endpoints.decide, "Uphold or reject an appeal", DECIDE),
        Endpoint("POST", "/v1/appeals/{id}:undo", endpoints.undo, "Take a decision on an appeal back", DECIDE),
    ),
    rows=(Appeal, AppealEvent),
    opened=opened,
    ended={"appeals": appeals.prune},
)
