"""The database's clock: the one that nodes whose own are apart agree on."""

from __future__ import annotations

import time

from sqlalchemy import text
from sqlalchemy.orm import Session


def clock_us(session: Session) -> int:
    """Now, µs since the epoch: not the transaction's time, which is that of before it waited for others' acts. A file
    has no clock but ours."""
    if session.connection().dialect.name != "postgresql":
        return time.time_ns() // 1000
    asked = text("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)")
    return int(session.execute(asked).scalar_one())
