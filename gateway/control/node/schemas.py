"""What is said of the node over the API."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field


class Rebuilt(BaseModel):
    subjects: int = Field(description="Accounts, blocks and rooms written.")
    version: int = Field(description="Version of the snapshot that was published.")


class Claimed(Rebuilt):
    taken_from: str = Field(description="Whose state it was; empty where nobody's, or this database's already.")


class HealthCheck(BaseModel):
    ok: bool
    detail: str = ""


class Ready(BaseModel):
    ready: bool
    checks: dict[str, HealthCheck]


class Alive(BaseModel):
    status: Literal["ok"] = "ok"


class ProcessOut(BaseModel):
    name: str
    pid: int | None = Field(description="None while it is not up.")
    state: str
    restarts: int
    resident_bytes: int | None


class WorkerOut(BaseModel):
    """A worker as it answered; ``answers`` is “ok”, or why there was no answer."""

    name: str
    answers: str
    generation: int | None = None
    connections: int = 0
    journal: str = Field("", description="Empty, or why it takes no messages.")
    state: str = Field("", description="Empty, or why state is not asked.")


class TrafficOut(BaseModel):
    """Counted since control started, over all workers, dead ones included."""

    messages: dict[str, int] = Field(description="Judged messages by verdict.")
    degraded: dict[str, int] = Field(description="Checks that could not decide, by cause.")
    refused_requests: int = Field(description="Requests refused before there was a message.")


class QueuesOut(BaseModel):
    """What waits."""

    outbox: int = Field(description="Acts not yet acknowledged by both journal and state.")
    outbox_age: float = Field(description="Seconds since the oldest of them.")
    journal_lag: float = Field(description="Seconds since the oldest record that is not yet written; the worst worker.")
    cases: dict[str, int] = Field({}, description="Open ones, by state.")
    takedowns: dict[str, int] = Field({}, description="By state; an unconfirmed one needs a person.")
    mirror: int | None = Field(None, description="Bullets whose outcome is not known yet; None without a mirror.")


class SpentOut(BaseModel):
    """How often something was done since control started, and how many seconds that took in all."""

    times: int
    seconds: float


class NodeStatus(BaseModel):
    """This node at a glance."""

    version: str
    at: int = Field(description="Microseconds since the epoch.")
    ready: bool
    checks: dict[str, HealthCheck]
    generation: int | None = Field(description="None while the supervisor does not answer.")
    generation_since: int | None = Field(None, description="When it came into force; microseconds since the epoch.")
    reload_refused: int | None = Field(
        None, description="When the last reload was refused, where none has gone well since; microseconds."
    )
    connections: int
    sockets: int
    processes: list[ProcessOut]
    workers: list[WorkerOut]
    traffic: TrafficOut
    spent: dict[str, SpentOut] = Field({}, description="By what: check, state (a question to it), journal (an append).")
    queues: QueuesOut
    mirror_lag: float | None = Field(None, description="Age of the static version in seconds; None without a mirror.")
