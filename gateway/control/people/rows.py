"""What is kept of people, and of the machines that they answer for. A token itself is nowhere: ``token_hash`` is the
SHA-256 of it, in hexadecimal; ``encoded`` a password's argon2id."""

from __future__ import annotations

from sqlalchemy import JSON, false
from sqlalchemy.orm import Mapped, mapped_column

from gateway.control.acts.columns import Storable
from gateway.control.acts.rows import Model


class Person(Model):
    """Somebody who may act. ``roles_given``: whether somebody gave the roles; else they are those of everybody from
    before there were any."""

    __tablename__ = "people"
    SECRET = frozenset({"token_hash"})

    name: Mapped[str] = mapped_column(Storable(64), primary_key=True)
    token_hash: Mapped[str] = mapped_column(Storable(64))
    created_at: Mapped[int]
    roles: Mapped[list[str]] = mapped_column(JSON, server_default='["admin"]')
    roles_given: Mapped[bool] = mapped_column(server_default=false())


class Token(Model):
    """A machine's token, for which ``made_by`` answers. Never made before that person was: of a namesake who was
    removed it opens nothing."""

    __tablename__ = "tokens"
    SECRET = frozenset({"token_hash"})

    name: Mapped[str] = mapped_column(Storable(64), primary_key=True)
    token_hash: Mapped[str] = mapped_column(Storable(64))
    scopes: Mapped[list[str]] = mapped_column(JSON)
    made_by: Mapped[str] = mapped_column(Storable(64))
    created_at: Mapped[int]


class Password(Model):
    """What a person says at the console. ``once``: somebody else gave it, and it opens but the page on which it is
    changed. ``set_at``: what was opened before then is closed."""

    __tablename__ = "passwords"
    SECRET = frozenset({"encoded"})

    person: Mapped[str] = mapped_column(Storable(64), primary_key=True)
    encoded: Mapped[str] = mapped_column(Storable(256))
    set_at: Mapped[int]
    once: Mapped[bool]
