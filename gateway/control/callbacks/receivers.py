"""Who is called, as the configuration in force says: the platform's receivers, and whoever is on call."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from gateway.config import Config
from gateway.config.sections.review.callbacks import ON_CALL
from gateway.config.sections.review.hook import Hook
from gateway.config.sections.review.on_call import OnCall
from gateway.control.callbacks.happenings import Happening

ON_CALL_WAITING = 1000
"""Calls to somebody on call are few; where so many wait, nobody hears them."""


@dataclass(frozen=True, slots=True)
class CallTarget:
    """Where a call goes. ``secrets``: it is signed by each; ``answers_json``: 2xx is not enough, the body tells. Times
    in seconds."""

    name: str
    url: str
    secrets: tuple[str, ...]
    ca: Path | None
    timeout: float
    retry_for: float
    waiting: int
    answers_json: bool = False


@dataclass(frozen=True, slots=True)
class Listener:
    """A receiver of the platform's, and what it wants to hear. ``events``, ``routes``: empty for all."""

    target: CallTarget
    events: frozenset[str]
    routes: frozenset[str]
    sender: bool

    def hears(self, one: Happening) -> bool:
        return (not self.events or one.event in self.events) and (not self.routes or one.route in self.routes)


def listeners(config: Config) -> list[Listener]:
    return [
        Listener(
            _target(one, one.name, one.secret, one.retry_for, one.waiting), frozenset(one.events),
            frozenset(one.routes), one.sender,
        )
        for one in config.callbacks
    ]  # fmt: skip


def on_call(config: Config) -> tuple[OnCall, CallTarget] | None:
    """Whoever is on call, where there is anybody."""
    section = config.desk.on_call
    if section is None:
        return None
    target = _target(
        section, ON_CALL, section.secret, section.retry_for, ON_CALL_WAITING, answers_json=section.shape != "text"
    )
    return section, target


def targets(config: Config) -> dict[str, CallTarget]:
    """Every address that is called, by name."""
    found = {one.target.name: one.target for one in listeners(config)}
    somebody = on_call(config)
    return found | ({somebody[1].name: somebody[1]} if somebody is not None else {})


def _target(
    hook: Hook, name: str, secret: SecretStr, retry_for: float, waiting: int, *, answers_json: bool = False
) -> CallTarget:
    told = [one.get_secret_value() for one in (secret, *hook.previous_secrets)]
    return CallTarget(
        name, hook.url, tuple(one for one in told if one), hook.ca, hook.timeout, retry_for, waiting, answers_json
    )
