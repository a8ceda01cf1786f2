"""The configuration: one TOML file, read into frozen models; every problem is told at once.

``load`` is the only way in. What one key cannot show (names that refer to other sections, keys that need each other)
is checked in ``consistency``; the meaning of every key stands in its model, and nowhere else.
"""

from __future__ import annotations

import codecs
import os
import re
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from filters.model.errors import TidegateError
from gateway.config.consistency import consistency
from gateway.config.consistency.doubts import doubts
from gateway.config.consistency.lines import NOWHERE, Lines, line_of, lines
from gateway.config.consistency.problems import ConfigError, ConfigProblem, at, shown, written
from gateway.config.consistency.replaced import replaced
from gateway.config.consistency.translation import translate
from gateway.config.consistency.unjudged import unjudged as listed
from gateway.config.sections.file import Config
from gateway.config.values.spelled import or_named
from gateway.obligations.regulations.sentence import Sentence

__all__ = ["Config", "ConfigError", "ConfigProblem", "check", "load", "schema", "unjudged", "warned", "warnings"]


REMEDIES = (
    ("Cannot overwrite", "the key stands twice; keep one of them"),
    ("Cannot declare", "the table stands twice; write all its keys under one heading"),
    ("Cannot mutate", "the table stands twice; write all its keys under one heading"),
    ("Illegal character '\\n'", "a text ends on its own line; close its quotes"),
    ("Illegal character", "write it as \\uXXXX in quotes, or take it out"),
    ('Expected "\'"', "a text ends on its own line; close its quotes"),
    ("Unclosed array", "add the ] that is missing"),
    ("Unclosed inline table", "add the } that is missing"),
    ("Unterminated string", "add the quotes that are missing"),
    ("Invalid value", "write text in quotes"),
    ("Invalid statement", "write [table], or key = value with quotes around a key that is no plain word"),
    ("Expected '=' after a key", "write key = value"),
    ("Expected newline", "write one key = value a line, with text in quotes"),
)
"""What helps, by what the parser says."""


class UnreadableError(TidegateError, ValueError):
    """A file that is no plain UTF-8; the text has the remedy."""


def load(
    path: Path | str,
    *,
    base: Path | None = None,
    environ: Mapping[str, str] | None = None,
    files: set[Path] | None = None,
    compiled: Mapping[Path, Path] | None = None,
) -> Config:
    """Read a configuration. ConfigError with every problem.

    Paths in it are relative to ``base``, by default the file's folder. ``environ`` is where ``env:`` values are
    looked up; the process's own environment if None. ``files`` collects what a generation copies; ``compiled`` says,
    of one that is compiled, which copies are read instead, and that files need not be there any more.
    """
    config, problems = check(path, base=base, environ=environ, files=files, compiled=compiled)
    if config is None or problems:
        raise ConfigError(problems)
    return config


def check(
    path: Path | str,
    *,
    base: Path | None = None,
    environ: Mapping[str, str] | None = None,
    secrets: bool = True,
    files: set[Path] | None = None,
    compiled: Mapping[Path, Path] | None = None,
) -> tuple[Config | None, list[ConfigProblem]]:
    """The configuration, where it could be read at all, and everything that is wrong with it. ``secrets``: whether what
    ``env:`` and ``file:`` name must be there; a configuration that is read without them is for looking at only."""
    file = os.fspath(path)
    try:
        raw = Path(path).read_bytes()
    except OSError as error:
        return None, [ConfigProblem(file, "", "", f"cannot be read: {error.strerror}")]
    try:
        text = _text(raw)
        document = tomllib.loads(text)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        return None, [ConfigProblem(file, "", "", f"is not UTF-8 at byte {error.start}: save it as UTF-8", line)]
    except tomllib.TOMLDecodeError as error:
        return None, [_syntax(file, error, text)]
    except UnreadableError as error:
        return None, [ConfigProblem(file, "", "", str(error), 1, 1)]
    except ValueError:
        # Python's own bound on the digits of a number; its remedy is none of an operator's.
        digits = re.search(r"\d[\d_]{999,}", text)
        line = text.count("\n", 0, digits.start()) + 1 if digits else 0
        return None, [ConfigProblem(file, "", "", "holds a number of too many digits: no setting takes it", line)]
    except RecursionError:
        return None, [ConfigProblem(file, "", "", "is nested too deeply: no setting needs that")]
    context = {
        "base": base or Path(path).absolute().parent,
        "environ": os.environ if environ is None else environ,
        "secrets": secrets,
        "files": files,
        "compiled": compiled,
    }
    return examine(document, file, context, lines(text))


def examine(
    document: dict[str, Any], file: str, context: dict[str, Any], found: Lines = NOWHERE
) -> tuple[Config | None, list[ConfigProblem]]:
    """As ``check``, for a document that is already parsed. ``context`` holds ``base``, ``environ`` and ``secrets``;
    ``found`` tells where keys stand."""
    problems: list[ConfigProblem] = []
    config: Config | None = None
    named = replaced(document, Config, context)
    try:
        config = Config.model_validate(named.document, context=context)
    except ValidationError as error:
        problems.extend(translate(error, Config, named.document, file, document, found))
    problems.extend(consistency.problems(named.document, file, document, found))
    # What a name did not lead to is told once: whatever else is wrong there follows from it.
    astray = {written(path, document) for path in (*named.problems, *named.unknown)}
    astray |= {written(path[:-1], document) for path in named.unknown if isinstance(path[-1], int)}  # too few, perhaps
    problems = [problem for problem in problems if problem.key not in astray]
    for path, why in named.problems.items():
        line = line_of(path, found)
        problems.append(ConfigProblem(file, written(path, document), shown(at(document, path), path), why, line))
    problems.sort(key=lambda problem: problem.line or sys.maxsize)  # from top to bottom; what is nowhere comes last
    return (config if not named.problems else None), problems


def _text(raw: bytes) -> str:
    """UnicodeDecodeError where it is not UTF-8; UnreadableError with a remedy where a mark of byte order begins it."""
    for mark, name in ((codecs.BOM_UTF8, "UTF-8 with a byte order mark"), (codecs.BOM_UTF16_LE, "UTF-16"),
                       (codecs.BOM_UTF16_BE, "UTF-16")):  # fmt: skip
        if raw.startswith(mark):
            raise UnreadableError(f"is {name}: save it as plain UTF-8")
    if b"\r" in raw and b"\n" not in raw:
        raise UnreadableError("ends its lines with a carriage return alone: save it with line feeds")
    return raw.decode("utf-8")


def _syntax(file: str, error: tomllib.TOMLDecodeError, text: str) -> ConfigProblem:
    message = str(error)
    found = re.search(r" \(at (?:line (\d+), column (\d+)|end of document)\)", message)
    line, column = (int(found[1]), int(found[2])) if found and found[1] else (text.count("\n") + 1, 0)
    what = message.partition(" (at ")[0]
    remedy = next((f": {remedy}" for begin, remedy in REMEDIES if what.startswith(begin)), "")
    return ConfigProblem(file, "", "", f"is not TOML: {what}{remedy}", line, column)


def warnings(config: Config) -> list[str]:
    """What is allowed, and still worth a second look; in English."""
    return [one.en for one in doubts(config)]


def warned(config: Config) -> list[Sentence]:
    """The same in both languages."""
    return list(doubts(config))


def unjudged(config: Config) -> list[Sentence]:
    """What is written through the gate and judged by nobody, as far as the configuration shows it."""
    return list(listed(config))


def schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of the file, for editors."""
    told: dict[str, Any] = or_named(Config.model_json_schema())
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **told}
