"""Where the control database is, told without what is secret; and its id while it is away."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.common.folders import DatabaseServer, has_password, keep_id, known_id, shown


@pytest.mark.parametrize(
    ("url", "told", "secret"),
    [
        ("postgresql://ann:pw@db.example:5432/gate?sslmode=require", "postgresql://db.example:5432/gate", True),
        ("postgres://ann@one,two:5433/gate", "postgresql://one,two:5433/gate", False),
        ("postgresql:///gate?host=/run/postgresql&password=pw", "postgresql:///gate", True),
    ],
)
def test_what_is_shown(url: str, told: str, secret: bool) -> None:
    server = DatabaseServer(url, "other-pw")
    assert shown(url) == str(server) == told
    assert "pw" not in f"{server!r} {server}"
    assert has_password(url) == secret


def test_an_id_is_known_of_the_database_that_told_it(tmp_path: Path) -> None:
    file, server = tmp_path / "id.json", DatabaseServer("postgresql://db/gate")
    assert known_id(file, server) is None
    keep_id(file, server, "one")
    assert known_id(file, server) == "one"
    assert known_id(file, server._replace(url="postgresql://db/other")) is None
    file.write_text("{")
    assert known_id(file, server) is None
