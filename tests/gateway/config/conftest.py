"""A configuration to change in one place and read."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway import config
from gateway.config import Config

SMALL = """
[upstreams.platform]
servers = ["http://127.0.0.1:9000"]

[lists.spam]
path = "spam.txt"

[policies.comment]
appeal = "https://platform.example/appeal?message={id}"
rules = [
  { check = "identity", action = "reject", on_error = "reject", ground = "agreement 2.1" },
  { check = "keywords", action = "reject", on_error = "reject", ground = "agreement 3.1", lists = ["spam"] },
]

[[routes]]
name = "comments"
match = "POST /articles/{room}/comments"
surface = "comment"
upstream = "platform"
policy = "comment"
sender = "header:X-User-Id"
trust = ["127.0.0.0/8"]
text = "json:/content"
"""

Written = Callable[..., Path]
Read = Callable[..., Config]


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """Write the small configuration with ``before`` replaced by ``after`` and ``more`` at its end."""

    def write(before: str = "", after: str = "", more: str = "") -> Path:
        assert before in SMALL
        (tmp_path / "spam.txt").write_text("spam\n", encoding="utf-8")
        file = tmp_path / "tidegate.toml"
        file.write_text((SMALL.replace(before, after) if before else SMALL) + more, encoding="utf-8")
        return file

    return write


@pytest.fixture
def read(written: Written) -> Read:
    """The same, loaded."""
    return lambda *args, **more: config.load(written(*args, **more), environ={})
