"""What is kept of sessions at the console, and of how people want to have it. A session's token is nowhere: ``digest``
is the SHA-256 of it."""

from __future__ import annotations

from sqlalchemy import JSON
from sqlalchemy.orm import Mapped, mapped_column

from gateway.control.acts.columns import Storable
from gateway.control.acts.rows import Model


class ConsoleSession(Model):
    """Times in µs since the epoch. ``seen_at``: when its owner last did something, to the minute; ``ends_at``: when it
    ends whatever they do."""

    __tablename__ = "console_sessions"

    digest: Mapped[str] = mapped_column(Storable(64), primary_key=True)
    person: Mapped[str] = mapped_column(Storable(64), index=True)
    opened_at: Mapped[int]
    seen_at: Mapped[int]
    ends_at: Mapped[int]


class ConsoleChoice(Model):
    """One person's. ``language`` and ``theme``: empty for what their browser says; ``declined``: categories that they
    are not given; ``cap``: decisions of a day after which they are given none, ``rest``: minutes after which they are
    reminded to rest; 0 for neither."""

    __tablename__ = "console_choices"

    person: Mapped[str] = mapped_column(Storable(64), primary_key=True)
    language: Mapped[str] = mapped_column(Storable(8), default="")
    theme: Mapped[str] = mapped_column(Storable(8), default="")
    declined: Mapped[list[str]] = mapped_column(JSON, default=list)
    cap: Mapped[int] = mapped_column(default=0)
    rest: Mapped[int] = mapped_column(default=0)
