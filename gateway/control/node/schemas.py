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
