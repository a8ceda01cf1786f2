"""Values that are named instead of written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway import config
from gateway.config import ConfigError

SMALL = """
[server]
node = "env:NODE"
via = "file:via"
request_ids = "env:IDS"
listen = ["env:LISTEN", "127.0.0.1:2"]
max_head = "env:HEAD"
[upstreams.platform]
servers = ["env:PLATFORM"]
client_share = "env:SHARE"
[state]
url = "env:STATE"
"""
GOOD = {
    "NODE": "7", "IDS": "false", "LISTEN": ":1", "HEAD": "32KiB", "PLATFORM": "http://127.0.0.1:9", "SHARE": "0.5",
    "STATE": "redis://:env:NODE@h",
}  # fmt: skip


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "via").write_text("gate\n")
    path = tmp_path / "tidegate.toml"
    path.write_text(SMALL)
    return path


def test_each_is_read_as_its_key_wants_it(file: Path) -> None:
    told = config.load(file, environ=GOOD)
    server = told.server
    assert (server.node, server.via, server.request_ids, server.max_head) == (7, "gate", False, 32768)
    assert server.listen == (":1", "127.0.0.1:2")
    assert (told.upstreams["platform"].servers[0].url, told.upstreams["platform"].client_share) == (
        "http://127.0.0.1:9",
        0.5,
    )
    assert told.state.url is not None
    assert told.state.url.get_secret_value() == "redis://:env:NODE@h"  # a secret is not looked at a second time


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("NODE", "seven", 'tidegate.toml:3: server.node = "env:NODE": is not a whole number'),
        ("NODE", "99999", 'tidegate.toml:3: server.node = "env:NODE": is too large: at most 16383'),
        ("NODE", "", 'tidegate.toml:3: server.node = "env:NODE": names an environment variable that is not set'),
        ("IDS", "yes", 'tidegate.toml:5: server.request_ids = "env:IDS": is neither true nor false'),
        ("LISTEN", "8080", 'tidegate.toml:6: server.listen[1] = "env:LISTEN": is not an address'),
        ("HEAD", "32KB", 'tidegate.toml:7: server.max_head = "env:HEAD": is not a size'),
        ("PLATFORM", "ftp://u:hunter2@h", 'tidegate.toml:9: upstreams.platform.servers[1] = "env:PLATFORM": '),
        ("STATE", "hunter2", 'tidegate.toml:12: state.url = "***"'),
    ],
)  # fmt: skip
def test_a_problem_tells_what_stands_in_the_file(file: Path, name: str, value: str, told: str) -> None:
    with pytest.raises(ConfigError) as refused:
        config.load(file, environ={**GOOD, name: value})
    assert len(refused.value.problems) == 1
    shown = str(refused.value).replace(f"{file.parent}/", "")
    if name == "STATE":
        told = 'tidegate.toml:12: state.url = "env:STATE"'
    assert shown.startswith(told)
    assert "hunter2" not in shown
    assert value == "" or value.isdigit() or value not in shown.replace(told, "")


def test_a_file_that_is_not_there(file: Path) -> None:
    (file.parent / "via").unlink()
    with pytest.raises(ConfigError, match="names a file that cannot be read") as refused:
        config.load(file, environ=GOOD)
    assert 'server.via = "file:via"' in str(refused.value)
    file.write_text(SMALL.replace("file:via", "file:a\\u0000b"))
    with pytest.raises(ConfigError, match="names a file that cannot be read"):
        config.load(file, environ=GOOD)


def test_without_secrets_nothing_that_is_named_must_be_there(file: Path) -> None:
    (file.parent / "via").unlink()
    told, problems = config.check(file, environ={}, secrets=False)
    assert problems == []
    file.write_text(SMALL.replace('servers = ["env:PLATFORM"]', 'servers = ["http://127.0.0.1:9"]') + "worker = 1\n")
    told, problems = config.check(file, environ={}, secrets=False)
    assert [(one.line, one.key) for one in problems] == [(13, "state.worker")]
    assert told is None
    file.write_text(file.read_text().replace("worker = 1\n", ""))
    told, problems = config.check(file, environ={}, secrets=False)
    assert (problems, told is not None) == ([], True)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("workers", "2"), ("workers", 2.0), ("workers", True), ("request_ids", "true"), ("request_ids", 1),
        ("via", 7), ("via", True), ("max_head", 16384), ("max_head", True), ("head_timeout", 1.5), ("listen", 8080),
        ("trusted_proxies", "127.0.0.0/8"),
    ],
)  # fmt: skip
def test_a_value_of_another_type_is_none(key: str, value: Any) -> None:
    document = {"server": {key: value}, "upstreams": {"a": {"servers": ["http://127.0.0.1:9"]}}}
    told, problems = config.examine(document, "f", {"base": Path(), "environ": {}})
    assert told is None
    assert [one.key for one in problems] == [f"server.{key}"]


def test_a_whole_number_is_a_number_and_a_list_is_a_list() -> None:
    document = {
        "server": {"trusted_proxies": ["127.0.0.0/8"]},
        "upstreams": {"a": {"servers": ["http://127.0.0.1:9"], "client_share": 1}},
    }
    told, problems = config.examine(document, "f", {"base": Path(), "environ": {}})
    assert (problems, told is not None) == ([], True)
