"""What stands in a column, on SQLite and on PostgreSQL alike.

Times are microseconds and need 64 bits, which SQLite's INTEGER has always. Texts compare by their code points ("C"), so
that no other machine's locale, and no newer one, sorts an index differently; their bounds are those of the API.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import BigInteger, Dialect, Integer, String, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

MARK: Final = "\ufdd0"
"""A noncharacter (Unicode, 23.7): no platform sends it, and where one does it is written as two."""

Whole: Final = BigInteger().with_variant(Integer(), "sqlite")
"""A whole number of up to 64 bits; as a primary key it counts up."""


class Storable(TypeDecorator[str]):
    """Text of up to ``length`` characters. PostgreSQL holds no U+0000, which a platform's ids may have: there it is
    written in another way, and read as it was."""

    impl = String
    cache_ok = True

    def __init__(self, length: int) -> None:
        super().__init__(length)
        self.length = length

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(Text(collation="C"))
        return dialect.type_descriptor(String(self.length))

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None or dialect.name != "postgresql" or not ("\0" in value or MARK in value):
            return value
        return value.replace(MARK, f"{MARK}1").replace("\0", f"{MARK}0")

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None or MARK not in value or dialect.name != "postgresql":
            return value
        return value.replace(f"{MARK}0", "\0").replace(f"{MARK}1", MARK)
