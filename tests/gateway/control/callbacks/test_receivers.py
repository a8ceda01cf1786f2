"""Who is called, as the configuration says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gateway import config as configuration
from gateway.control.callbacks.receivers import listeners, on_call, targets
from tests.gateway.control.callbacks.conftest import ON_CALL, PLATFORM, TOML


def read(folder: Path, more: str) -> Any:
    path = folder / "tidegate.toml"
    path.write_text(TOML + more, encoding="utf-8")
    return configuration.load(
        path, environ={"SECRET": "env secret that is long", "ROBOT": "https://robot.example/?k=1"}
    )


def test_all_who_are_called(tmp_path: Path) -> None:
    assert targets(read(tmp_path, "")) == {}
    found = targets(read(tmp_path, PLATFORM + ON_CALL))
    assert sorted(found) == ["on-call", "platform"]
    assert (found["platform"].timeout, found["platform"].retry_for) == (10.0, 72 * 3600)
    assert (found["on-call"].secrets, found["on-call"].retry_for) == ((), 3600.0)


def test_secrets_and_addresses_by_name(tmp_path: Path) -> None:
    made = read(
        tmp_path,
        PLATFORM.replace('"0123456789abcdef"', '"env:SECRET"') + 'previous_secrets = ["fedcba9876543210"]\n'
        + ON_CALL.replace('"http://127.0.0.1:9/robot"', '"env:ROBOT"') + 'shape = "wecom"\n',
    )  # fmt: skip
    (one,) = listeners(made)
    assert one.target.secrets == ("env secret that is long", "fedcba9876543210")
    somebody = on_call(made)
    assert somebody is not None
    assert (somebody[1].url, somebody[1].answers_json) == ("https://robot.example/?k=1", True)
    assert not one.target.answers_json
