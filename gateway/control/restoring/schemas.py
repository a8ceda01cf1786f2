"""What is said of restoring over the API."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from gateway.control.calls.schemas import Reasoned, printable

Label = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64, pattern="^[^,]+$"),
    AfterValidator(printable),
]  # fmt: skip
Text = Annotated[str, StringConstraints(min_length=1, max_length=4096)]


class RestoreAsked(Reasoned):
    text: Text | None = Field(
        None, description="The message, as its sender entered it again; only where the journal does not hold it."
    )
    labels: list[Label] = Field([], max_length=8, description="Labels that go along where the platform is asked.")


class RestoredOut(BaseModel):
    """``publish``: the platform is asked; ``ticket``: its sender may send it again, letter by letter, within seven
    days."""

    takedown: int
    message_id: str
    restoration: str = Field(description="The id under which it comes back.")
    way: Literal["publish", "ticket"]
    copies: int = Field(description="Texts that are refused no more.")
