"""What is said over the API of people's own side of the console."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from gateway.control.calls.schemas import Given, printable

Category = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64), AfterValidator(printable)
]


class ConsoleChosen(Given):
    """What is left out stays as it is."""

    language: Literal["", "zh", "en"] | None = Field(None, description="Empty: what the browser says.")
    theme: Literal["", "light", "dark"] | None = Field(None, description="Empty: what the browser says.")
    declined: list[Category] | None = Field(
        None, max_length=64, description="Categories of which cases are not given to you."
    )
    cap: int | None = Field(
        None, ge=0, le=100_000, description="Decisions of a day, after which no more cases are given to you; 0: no cap."
    )
    rest: int | None = Field(
        None, ge=0, le=600, description="Minutes of work after which the console reminds you to rest; 0: never."
    )


class ConsoleChoiceOut(BaseModel):
    language: str
    theme: str
    declined: list[str]
    cap: int
    rest: int


class SessionsEnded(BaseModel):
    ended: int
