"""What is said of switches and urgent words over the API."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel

from gateway.control.calls.schemas import Ground, Ident, Reasoned, bounded, printable


class SwitchNew(Reasoned):
    scope: Literal["room", "route"]
    value: Ident
    ground: Ground


class SwitchOut(BaseModel):
    id: int
    kind: str
    scope: str
    value: str
    ground: str
    created_at: int


class SwitchesOut(BaseModel):
    switches: list[SwitchOut]


class UrgentNew(Reasoned):
    word: Annotated[str, bounded(128), AfterValidator(printable)]
    ground: Ground


class UrgentOut(BaseModel):
    id: int
    word: str
    ground: str
    created_at: int


class UrgentsOut(BaseModel):
    words: list[UrgentOut]
