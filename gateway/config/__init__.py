"""The configuration: one TOML file, read into frozen models; every problem is told at once.

``load`` is the only way in. What one key cannot show (names that refer to other sections, keys that need each other)
is checked in ``consistency``; the meaning of every key stands in its model, and nowhere else.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import StringConstraints, ValidationError

from gateway.config import consistency
from gateway.config.control import Control, Logs, Metrics
from gateway.config.credit import Credit
from gateway.config.doubts import doubts
from gateway.config.journal import Journal
from gateway.config.jwt import Jwt
from gateway.config.lists import ListFile
from gateway.config.mirror import Mirror
from gateway.config.policies import Policy
from gateway.config.problems import ConfigError, Problem
from gateway.config.routes import Route
from gateway.config.section import Section, required, setting
from gateway.config.server import Server
from gateway.config.state import State
from gateway.config.translation import translate
from gateway.config.upstreams import Upstream

__all__ = ["Config", "ConfigError", "Problem", "check", "load", "schema", "warnings"]

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


class Config(Section):
    """The whole file."""

    server: Server = setting({}, "The public side, and the bounds of what comes in.")
    upstreams: dict[Name, Upstream] = required("The platform's servers, by name.", min_length=1)
    lists: dict[Name, ListFile] = setting({}, "Word and pattern lists, by name.")
    policies: dict[Name, Policy] = setting({}, "Policies, by name.")
    routes: tuple[Route, ...] = setting(
        (), "Routes. A literal segment is matched before a {placeholder}, a named host before any."
    )
    jwt: Jwt | None = setting(None, "How tokens are checked; needed by jwt: sources.")
    state: State = setting({}, "Where limits, blocks, accounts and room status live.")
    journal: Journal = setting({}, "What is written before anything leaves, and how long it is kept.")
    credit: Credit = setting({}, "How a credit that was lowered comes back with time.")
    mirror: Mirror | None = setting(None, "The static version of every bullet; needed by danmaku routes.")
    control: Control = setting({}, "The admin API, health and metrics.")
    metrics: Metrics = setting({}, "What Prometheus reads.")
    logs: Logs = setting({}, "What the processes say about themselves.")


def load(path: Path | str, *, base: Path | None = None, environ: Mapping[str, str] | None = None) -> Config:
    """Read a configuration. ConfigError with every problem.

    Paths in it are relative to ``base``, by default the file's folder. ``environ`` is where ``env:`` secrets are
    looked up; the process's own environment if None.
    """
    config, problems = check(path, base=base, environ=environ)
    if config is None or problems:
        raise ConfigError(problems)
    return config


def check(
    path: Path | str, *, base: Path | None = None, environ: Mapping[str, str] | None = None
) -> tuple[Config | None, list[Problem]]:
    """The configuration, where it could be read at all, and everything that is wrong with it."""
    file = os.fspath(path)
    try:
        document = tomllib.loads(Path(path).read_bytes().decode("utf-8"))
    except OSError as error:
        return None, [Problem(file, "", "", f"cannot be read: {error.strerror}")]
    except UnicodeDecodeError as error:
        return None, [Problem(file, "", "", f"is not UTF-8 at byte {error.start}: save it as UTF-8")]
    except tomllib.TOMLDecodeError as error:
        return None, [_syntax(file, error)]
    context = {
        "base": base or Path(path).absolute().parent,
        "environ": os.environ if environ is None else environ,
    }
    return examine(document, file, context)


def examine(document: dict[str, Any], file: str, context: dict[str, Any]) -> tuple[Config | None, list[Problem]]:
    """As ``check``, for a document that is already parsed. ``context`` holds ``base`` and ``environ``."""
    problems: list[Problem] = []
    config: Config | None = None
    try:
        config = Config.model_validate(document, context=context)
    except ValidationError as error:
        problems.extend(translate(error, Config, document, file))
    problems.extend(consistency.problems(document, file))
    return config, problems


def _syntax(file: str, error: tomllib.TOMLDecodeError) -> Problem:
    message = str(error)
    found = re.search(r" \(at (?:line (\d+), column (\d+)|end of document)\)", message)
    where = f"{file}:{found[1]}:{found[2]}" if found and found[1] else file
    return Problem(where, "", "", f"is not TOML: {message.partition(' (at ')[0]}")


def warnings(config: Config) -> list[str]:
    """What is allowed, and still worth a second look."""
    return list(doubts(config))


def schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of the file, for editors."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Config.model_json_schema()}
