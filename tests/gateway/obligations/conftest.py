"""A configuration with one route, of which each test says what differs."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway import config
from gateway.config import Config

ROUTE = """
[upstreams.platform]
servers = ["http://127.0.0.1:9000"]

[mirror]

[policies.p]
appeal = "off"
rules = [RULES]

[lists.w]
path = "w.txt"

[[routes]]
name = "r"
match = "POST /{room}"
surface = "SURFACE"
upstream = "platform"
policy = "p"
sender = "header:X-User-Id"
trust = ["TRUST"]
text = "json:/content"
"""

Configured = Callable[..., Config]


@pytest.fixture
def configured(tmp_path: Path) -> Configured:
    def made(*rules: str, surface: str = "comment", more: str = "", trust: str = "127.0.0.0/8") -> Config:
        (tmp_path / "w.txt").write_text("casino\n", encoding="utf-8")
        file = tmp_path / "tidegate.toml"
        told = ROUTE.replace("RULES", ", ".join(rules)).replace("SURFACE", surface).replace("TRUST", trust)
        file.write_text(told + more, encoding="utf-8")
        return config.load(file, environ={})

    return made
