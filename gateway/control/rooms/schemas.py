"""What is said of rooms over the API."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field, model_validator

from gateway.control.calls.schemas import Reasoned


class RoomPut(Reasoned):
    status: Literal["open", "slow", "muted", "closed"]
    interval: float = Field(0, ge=0, le=86400, description="Seconds between two messages of one sender, slow mode.")

    @model_validator(mode="after")
    def _slow(self) -> RoomPut:
        if (self.status == "slow") != (self.interval > 0):
            raise ValueError("interval belongs to the status slow, and slow needs one above 0")
        return self


class RoomOut(BaseModel):
    room: str
    status: str
    interval: float = 0
