"""What is kept of people."""

from __future__ import annotations

from sqlalchemy.orm import Mapped, mapped_column

from gateway.control.acts.columns import Storable
from gateway.control.acts.rows import Model


class Person(Model):
    """Somebody who may act. The token itself is nowhere: ``token_hash`` is the SHA-256 of it, in hexadecimal."""

    __tablename__ = "people"
    SECRET = frozenset({"token_hash"})

    name: Mapped[str] = mapped_column(Storable(64), primary_key=True)
    token_hash: Mapped[str] = mapped_column(Storable(64))
    created_at: Mapped[int]
