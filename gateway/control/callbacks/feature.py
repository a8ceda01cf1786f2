"""Calls to others, as control knows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gateway.config import Config
from gateway.control.access.roles import LEAD, OVERSEE, Permission
from gateway.control.callbacks import call_queue, endpoints
from gateway.control.callbacks.call_posting import CallPoster
from gateway.control.callbacks.callback_sender import CallbackSender
from gateway.control.callbacks.incident_watch import IncidentWatch
from gateway.control.callbacks.rows import Callback, CallbackCursor, OnCallTopic
from gateway.control.calls.endpoint import Endpoint
from gateway.control.calls.feature import Feature, Surroundings
from gateway.control.workers.totals import Series


def opened(surroundings: Surroundings) -> Sequence[object]:
    """Sending, and watching for what somebody on call should hear of; without receivers both find nothing to do."""
    ledger = surroundings.ledger

    def config() -> Config:
        return surroundings.current().config

    def totals() -> Mapping[str, Series]:
        return {metric.name: series for metric, series in ledger.workers.totals.series()}

    sender = CallbackSender(ledger.database, config, CallPoster(), ids=surroundings.ids, leads=ledger.leads)
    return sender, IncidentWatch(sender, totals, lambda: config().desk.on_call is not None)


LOOK, SEND = Permission(OVERSEE, "callbacks:read"), Permission(LEAD, "callbacks:write")

CALLBACKS = Feature(
    endpoints=(
        Endpoint("GET", "/v1/callbacks", endpoints.listed, "List calls to receivers", LOOK),
        Endpoint("GET", "/v1/callbacks/{id}", endpoints.get, "Read a call and what it says", LOOK),
        Endpoint("POST", "/v1/callbacks/{id}:resend", endpoints.resend, "Send a call again", SEND),
        Endpoint("POST", "/v1/callbacks:resend", endpoints.resend_many, "Send a receiver's calls again", SEND),
        Endpoint("POST", "/v1/callbacks:test", endpoints.try_receiver, "Try a receiver", SEND),
    ),
    rows=(Callback, CallbackCursor, OnCallTopic),
    opened=opened,
    ended={"callbacks": call_queue.prune},
)
