"""A path or a URL, and what no problem repeats."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr, TypeAdapter, ValidationError

from gateway.config.values.database import DatabaseText
from gateway.config.values.secret import UnknownSecret

READ = TypeAdapter(DatabaseText)


def read(value: object, **context: object) -> Path | SecretStr:
    return READ.validate_python(value, context={"base": Path("/etc/gate"), "environ": {}, **context})


def test_paths_stay_paths() -> None:
    assert read("control.sqlite3") == Path("/etc/gate/control.sqlite3")
    assert read("env:PLACE", environ={"PLACE": "kept/control.sqlite3"}) == Path("/etc/gate/kept/control.sqlite3")


@pytest.mark.parametrize("url", ["postgresql://ann:pw@db:5432/gate?sslmode=verify-full", "postgres://a,b:1/gate",
                                 "postgresql:///gate?host=/run/postgresql"])  # fmt: skip
def test_urls_are_secrets(url: str) -> None:
    for found in (read(url), read("env:URL", environ={"URL": url})):
        assert isinstance(found, SecretStr)
        assert found.get_secret_value() == url
        assert "pw" not in repr(found)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("postgresql://ann:pw@db:port/gate", "no URL that can be read"),
        ("postgresql://ann:pw@db", "names no database"),
        ("postgresql://ann:p#w@db/gate", "no URL that can be read"),
        ("postgresql://ann:pw@db/gate#x", "%23"),
        ("mysql://ann:pw@db/gate", "is no path but an address"),
        ("env:NOWHERE", "is not set"),
    ],
)
def test_what_is_wrong_is_told_without_the_value(url: str, told: str) -> None:
    with pytest.raises(ValidationError, match=told) as error:
        read(url)
    assert all("pw" not in one["msg"] for one in error.value.errors())


def test_a_look_without_secrets() -> None:
    assert isinstance(read("env:NOWHERE", secrets=False), UnknownSecret)
