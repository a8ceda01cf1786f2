"""A generation: one configuration with its compiled word lists, as an immutable folder.

Workers load generations, never the operator's files: a worker that dies while a half-edited file lies on disk comes
back with the last good configuration (law 9). ``python -m gateway.generation.generation`` compiles one, in a process
of its own, because a large list takes seconds and hundreds of megabytes.

    generations/N/tidegate.toml    the configuration, as it was
    generations/N/manifest.json    where it came from, and the artifact of each list
    artifacts/NAME-DIGEST.tga      shared by all generations with the same list
    artifacts/trusted/DIGEST       copies of certificates and public keys, so that who begins when such a file has gone,
                                   or is half written, has what the others have; of secrets there are none
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import shutil
import sys
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import structlog

from filters.model.errors import TidegateError
from gateway import config as configuration
from gateway.common.folders import Folders
from gateway.common.posix import cause_of, python
from gateway.config import Config, ConfigError
from gateway.config.sections import policies as policy_sections
from gateway.generation import conversion
from gateway.generation.changes import ChangesLost, LineChanges, line_changes
from gateway.logs import hearsay, logs
from gateway.words.compile import compile_lists
from gateway.words.errors import WordListError
from gateway.words.shrinking import ListDiff
from gateway.words.specs import ListSpec

log = structlog.get_logger()

COMPILER = "compiler"  # its name in the log
COMPILE_WITHIN = 600.0  # seconds; a million words take twenty
SPARE = 32  # copies of files that no generation names, kept all the same
NICENESS = 5  # of the compiler: where processors are short, messages and state come first, and it still gets a quarter


class CompileFailed(TidegateError):
    """No generation came of it; ``problems`` says all that is wrong, each with its remedy."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = list(problems)


class Generation(NamedTuple):
    """A generation as it is loaded. ``artifacts``: by list name; ``lists``: how each changed against the generation
    that was in force when this one was compiled."""

    number: int
    config: Config
    artifacts: Mapping[str, Path]
    warnings: Sequence[str] = ()
    lists: Sequence[ListDiff] = ()


def compiled(generation: Generation) -> str:
    """SHA-256, in hex, of what messages are judged by: policies and lists. It is the same on every node that has the
    same ones, whatever else its configuration says."""
    policies = {name: policy.digest for name, policy in policy_sections.build(generation.config).items()}
    lists = {name: path.name for name, path in generation.artifacts.items()}
    return hashlib.sha256(orjson.dumps([policies, lists], option=orjson.OPT_SORT_KEYS)).hexdigest()


def load(folders: Folders, number: int, *, originals: bool = False) -> Generation:
    """The generation ``number``. ``originals``: with the files as the configuration names them, whatever they say by
    now, for who follows their changes. Raises ConfigError or OSError where its folder is damaged."""
    folder = folders.generation(number)
    manifest = orjson.loads((folder / "manifest.json").read_bytes())
    copies = {} if originals else _changed_since(folders, manifest.get("files", {}))
    config = configuration.load(folder / "tidegate.toml", base=Path(manifest["base"]), compiled=copies)
    artifacts = {name: folders.artifacts / file for name, file in manifest["artifacts"].items()}
    changes = [ListDiff(**each["change"]) for each in manifest.get("lists", {}).values()]
    return Generation(number, config, artifacts, manifest["warnings"], changes)


def compile_here(config_path: Path, folders: Folders, may_shrink: Collection[str] = ()) -> int:
    """Compile the next generation in this process; its number. ``may_shrink``: lists of which somebody said that they
    are meant to be as short as they are. Raises CompileFailed."""
    files: set[Path] = set()
    try:
        config = configuration.load(config_path, files=files)
    except ConfigError as error:
        raise CompileFailed([str(problem) for problem in error.problems]) from None
    if problems := conversion.unbuildable(config, str(config_path)):
        raise CompileFailed([str(problem) for problem in problems])
    if unknown := sorted(set(may_shrink) - set(config.lists)):
        raise CompileFailed([f"may_shrink names no list: {', '.join(unknown)}; known are {', '.join(config.lists)}"])
    try:
        changes = line_changes(folders.list_changes, folders.database(config))
    except ChangesLost as error:
        raise CompileFailed([str(error)]) from None
    before = in_force(folders)
    specs = [
        ListSpec(
            name, str(section.path), section.kind, section.category, dict(section.fold), section.max_size,
            *changes.get(name, LineChanges()), strict=section.strict(), min_words=section.min_words,
            may_shrink=section.may_shrink, meant=name in may_shrink, engine=config.server.engine,
            **before.get(name, {}),
        )
        for name, section in config.lists.items()
    ]  # fmt: skip
    try:
        compiled = compile_lists(specs, folders.artifacts)
    except WordListError as error:
        raise CompileFailed([*map(str, error.faults), *([f"and {error.more} more"] if error.more else [])]) from None
    taken = [int(path.name) for path in folders.generations.iterdir() if path.name.isdigit()]
    number = max(taken, default=0) + 1
    try:
        copied = {str(path): _copied(folders, path) for path in sorted(files)}
    except OSError as error:
        raise CompileFailed([f"{error.filename}: cannot be copied: {error.strerror}"]) from None
    aside = folders.generations / f"{number}.new"
    aside.mkdir(mode=0o700)
    shutil.copyfile(config_path, aside / "tidegate.toml")
    manifest = {
        "base": str(config_path.absolute().parent),
        "artifacts": {built.name: built.file for built in compiled.lists},
        "files": copied,
        "lists": {built.name: {"in_file": built.in_file, "change": built.change.as_dict()} for built in compiled.lists},
        "warnings": [
            *configuration.warnings(config),
            *(one.en for one in conversion.expiring(config, time.time())),
            *(str(notice) for built in compiled.lists for notice in built.notices),
        ],
    }
    (aside / "manifest.json").write_bytes(orjson.dumps(manifest, option=orjson.OPT_INDENT_2))
    aside.replace(folders.generation(number))
    _prune(folders, config.server.keep_generations, number)
    return number


def in_force(folders: Folders) -> dict[str, dict[str, Any]]:
    """Of each list in force ``before`` and ``before_in_file``, as ``ListSpec`` has them. Nothing where no generation is
    in force yet, or its folder is damaged."""
    try:
        manifest = orjson.loads((folders.generation(folders.current()) / "manifest.json").read_bytes())
        counted = manifest.get("lists", {})
        return {
            name: {
                "before": str(folders.artifacts / file),
                "before_in_file": counted.get(name, {}).get("in_file", -1),
            }
            for name, file in manifest["artifacts"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _prune(folders: Folders, keep: int, newest: int) -> None:
    """Remove old generations, and the artifacts that none of the kept ones names."""
    current = folders.current()
    numbers = sorted((int(p.name) for p in folders.generations.iterdir() if p.name.isdigit()), reverse=True)
    kept = set(numbers[:keep]) | {current, newest}
    for number in numbers:
        if number not in kept:
            shutil.rmtree(folders.generation(number), ignore_errors=True)
    named: set[str] = set()
    trusted: set[str] = set()
    for number in kept - {0}:
        manifest = folders.generation(number) / "manifest.json"
        try:
            if manifest.exists():
                told = orjson.loads(manifest.read_bytes())
                named |= set(told["artifacts"].values())
                trusted |= set(told.get("files", {}).values())
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return  # nobody can say which artifacts it names
    for path in folders.artifacts.glob("*.tga"):
        if path.name not in named:
            path.unlink(missing_ok=True)
    # What a process reads again when it connects anew may be of a generation that is gone: the newest stay.
    others = [path for path in _trusted(folders).glob("*") if path.name not in trusted]
    for path in sorted(others, key=lambda one: one.stat().st_mtime)[:-SPARE]:
        path.unlink(missing_ok=True)


def _trusted(folders: Folders) -> Path:
    return folders.artifacts / "trusted"


def _copied(folders: Folders, path: Path) -> str:
    """The name of the copy, made where there is none. Raises OSError."""
    content = path.read_bytes()
    name = hashlib.sha256(content).hexdigest()
    folder = _trusted(folders)
    folder.mkdir(mode=0o700, exist_ok=True)
    if not (folder / name).exists():
        aside = folder / f"{name}.new"
        aside.write_bytes(content)
        aside.replace(folder / name)
    return name


def _changed_since(folders: Folders, files: Mapping[str, str]) -> dict[Path, Path]:
    """The copies of files that are gone, or say something else than when the generation was compiled."""
    copies = {}
    for path, name in files.items():
        try:
            same = hashlib.sha256(Path(path).read_bytes()).hexdigest() == name
        except OSError:
            same = False
        if not same:
            copies[Path(path)] = _trusted(folders) / name
            log.warning("generation.copy_read", file=path)
    return copies


async def compile_aside(config_path: Path, folders: Folders, may_shrink: Collection[str] = ()) -> Generation:
    """Compile the next generation in a process of its own, see ``compile_here``. Raises CompileFailed."""
    process = await asyncio.create_subprocess_exec(
        *python(
            "gateway.generation.generation", "--config", str(config_path), "--data-dir", str(folders.root),
            *(f"--may-shrink={name}" for name in may_shrink),
        ),
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        output, said = await asyncio.wait_for(process.communicate(), COMPILE_WITHIN)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise CompileFailed([f"compiling took longer than {COMPILE_WITHIN:g} s and was given up"]) from None
    words = ""
    for line in hearsay.Splitter().feed(said + b"\n"):
        words = hearsay.pass_on(line, COMPILER, process.pid)
    try:
        answer: dict[str, Any] = orjson.loads(output)
    except orjson.JSONDecodeError:
        assert process.returncode is not None
        ended = f"the compiler ended with {cause_of(process.returncode)}"
        raise CompileFailed([f"{ended}: {words}" if words else ended]) from None
    if "problems" in answer:
        raise CompileFailed(answer["problems"])
    return load(folders, answer["generation"], originals=True)


def main() -> int:
    """Print ``{"generation": N}`` or ``{"problems": […]}``; exit code 0 or 1."""
    parser = argparse.ArgumentParser(
        prog="python -m gateway.generation.generation", description="Compile a configuration."
    )
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--may-shrink", action="append", default=[], metavar="LIST")
    options = parser.parse_args()
    os.nice(NICENESS)
    logs.own_up(COMPILER)
    folders = Folders(options.data_dir)
    folders.make()
    try:
        answer: dict[str, Any] = {"generation": compile_here(options.config, folders, options.may_shrink)}
    except CompileFailed as failure:
        answer = {"problems": failure.problems}
    sys.stdout.buffer.write(orjson.dumps(answer) + b"\n")
    return 0 if "generation" in answer else 1


if __name__ == "__main__":
    sys.exit(main())
