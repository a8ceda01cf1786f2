"""What the configuration says of the console reaches it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from pydantic import ValidationError

from gateway.config.sections.review.console import Console
from gateway.control.calls.feature import Surroundings
from gateway.control.console import feature
from gateway.control.console.sessions.console_sessions import ConsoleSessions, SessionSettings
from gateway.control.console.sessions.login_pace import PaceSettings
from gateway.control.console.shell.console_login import ConsoleLogin


def test_settings_are_those_in_force(plant: Any) -> None:
    section = Console()
    config = SimpleNamespace(console=section, server=SimpleNamespace(ipv6_prefix=56))
    closing: list[Any] = []
    surroundings = SimpleNamespace(
        current=lambda: SimpleNamespace(config=config), ledger=plant.ledger,
        closing=SimpleNamespace(callback=closing.append),
    )  # fmt: skip
    services = feature.opened(cast(Surroundings, surroundings))
    login = next(one for one in services if isinstance(one, ConsoleLogin))
    sessions = next(one for one in services if isinstance(one, ConsoleSessions))
    assert sessions._settings() == SessionSettings(1800.0, 43200.0) == SessionSettings()
    assert login._pace._settings() == PaceSettings(5, 900.0) == PaceSettings()
    assert (login.behind_tls(), login._prefix()) == (False, 56)
    config.console = Console(idle="1m", longest="1h", attempts=2, wait_at_most="5s", behind_tls=True)
    assert sessions._settings() == SessionSettings(60.0, 3600.0)
    assert login._pace._settings() == PaceSettings(2, 5.0)
    assert login.behind_tls()
    for close in closing:
        close()


@pytest.mark.parametrize(
    "wrong", [{"idle": "1s"}, {"longest": "8d"}, {"attempts": 0}, {"wait_at_most": "2d"}, {"x": 1}]
)
def test_settings_have_bounds(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Console.model_validate(wrong)
