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
from typing import Any

from pydantic import ValidationError

from gateway.config.consistency import consistency
from gateway.config.consistency.doubts import doubts
from gateway.config.consistency.problems import ConfigError, ConfigProblem
from gateway.config.consistency.translation import translate
from gateway.config.consistency.unjudged import unjudged as listed
from gateway.config.sections.file import Config

__all__ = ["Config", "ConfigError", "ConfigProblem", "check", "load", "schema", "unjudged", "warnings"]


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
) -> tuple[Config | None, list[ConfigProblem]]:
    """The configuration, where it could be read at all, and everything that is wrong with it."""
    file = os.fspath(path)
    try:
        document = tomllib.loads(Path(path).read_bytes().decode("utf-8"))
    except OSError as error:
        return None, [ConfigProblem(file, "", "", f"cannot be read: {error.strerror}")]
    except UnicodeDecodeError as error:
        return None, [ConfigProblem(file, "", "", f"is not UTF-8 at byte {error.start}: save it as UTF-8")]
    except tomllib.TOMLDecodeError as error:
        return None, [_syntax(file, error)]
    context = {
        "base": base or Path(path).absolute().parent,
        "environ": os.environ if environ is None else environ,
    }
    return examine(document, file, context)


def examine(document: dict[str, Any], file: str, context: dict[str, Any]) -> tuple[Config | None, list[ConfigProblem]]:
    """As ``check``, for a document that is already parsed. ``context`` holds ``base`` and ``environ``."""
    problems: list[ConfigProblem] = []
    config: Config | None = None
    try:
        config = Config.model_validate(document, context=context)
    except ValidationError as error:
        problems.extend(translate(error, Config, document, file))
    problems.extend(consistency.problems(document, file))
    return config, problems


def _syntax(file: str, error: tomllib.TOMLDecodeError) -> ConfigProblem:
    message = str(error)
    found = re.search(r" \(at (?:line (\d+), column (\d+)|end of document)\)", message)
    where = f"{file}:{found[1]}:{found[2]}" if found and found[1] else file
    return ConfigProblem(where, "", "", f"is not TOML: {message.partition(' (at ')[0]}")


def warnings(config: Config) -> list[str]:
    """What is allowed, and still worth a second look."""
    return list(doubts(config))


def unjudged(config: Config) -> list[str]:
    """What is written through the gate and judged by nobody, as far as the configuration shows it."""
    return list(listed(config))


def schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of the file, for editors."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Config.model_json_schema()}
