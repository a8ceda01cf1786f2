"""The node that a backup is taken of, or restored to: its places, and the files that its configuration names."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from pydantic import BaseModel, SecretStr

from gateway import config as configuration
from gateway.backup.backup_manifest import BackupError
from gateway.common.folders import DatabasePlace, Folders, has_password
from gateway.config import Config
from gateway.config.values.named import looked_up, names
from gateway.config.values.secret import UnknownSecret

WHERE = ("server.node", "server.data_dir", "journal.dir", "control.database", "control.first_token", "mirror.dir")
PRIVATE = ("key", "jwks")  # files that hold secrets, or may


class NamedFile(NamedTuple):
    """A file that the configuration names, by the key that names it."""

    key: str
    path: Path
    private: bool


class NodePlaces(NamedTuple):
    """``file``: the configuration; ``base``: where its relative paths start; ``written``: as it is written."""

    folders: Folders
    config: Config
    file: Path
    base: Path
    written: dict[str, Any]

    @property
    def node(self) -> int:
        return self.config.server.node

    @property
    def journal(self) -> Path:
        return self.folders.journal(self.config)

    @property
    def database(self) -> DatabasePlace:
        return self.folders.database(self.config)

    @property
    def database_file(self) -> Path:
        """The control database, or the file in which the rows of one that is a server's stand while they come back."""
        place = self.database
        return place if isinstance(place, Path) else self.folders.control / "restored-rows.sqlite3"

    @property
    def mirror(self) -> Path | None:
        """None where there is none."""
        return self.folders.mirror(self.config) if self.config.mirror is not None else None

    def files(self) -> Iterator[NamedFile]:
        """Every file that the configuration names and that is there; what the node itself writes is none of them."""
        own = {self.database, self.folders.first_token(self.config)}
        for key, path in _paths(self.config):
            if path.is_file() and path not in own:
                yield NamedFile(key, path, key.rpartition(".")[2] in PRIVATE)
        for key, told in _named(self.written):
            kind, _, name = told.partition(":")
            if kind == "file" and (self.base / name).is_file():
                yield NamedFile(key, (self.base / name).absolute(), True)

    def named(self) -> list[str]:
        """Secrets that are somewhere else, each as the key and the name."""
        private = [f"{file.key} = {file.path}" for file in self.files() if file.private and file.path.is_absolute()]
        told = [f"{key} = {value}" for key, value in _named(self.written)]
        if self.folders.salt.is_file():  # what digests of senders are keyed with: blocks name people by them
            told.append(f"server.salt = {self.folders.salt}")
        return sorted({*told, *(one for one in private if one.partition(" = ")[0] not in dict(_named(self.written)))})

    @property
    def digests(self) -> bool:
        """Whether it names people by digests that its own salt keys."""
        return not self.config.server.salt.get_secret_value() and any(
            source.startswith(("hash:", "whoami:"))
            for route in self.config.routes
            for one in (route, *route.messages)
            for source in getattr(one, "sender", ())
        )

    def plain(self) -> list[str]:
        """Keys whose secret stands in the configuration itself."""
        named = dict(_named(self.written))
        return [
            key for key, value in _secrets(self.config)
            if value.get_secret_value() and key not in named
            and (key != "control.database" or has_password(value.get_secret_value()))
        ]  # fmt: skip


def in_force(folders: Folders) -> NodePlaces:
    """The node of a data folder, as its configuration in force says. Raises ``BackupError``."""
    number = folders.current() if folders.generations.is_dir() else 0
    if not number:
        raise BackupError(f"{folders.root} is not a gateway's data folder: name it with --data-dir")
    folder = folders.generation(number)
    try:
        base = Path(orjson.loads((folder / "manifest.json").read_bytes())["base"])
    except (OSError, ValueError, KeyError, TypeError):
        raise BackupError(f"{folder} is damaged: reload, then take the backup") from None
    return of(folders, folder / "tidegate.toml", base)


def of(folders: Folders, file: Path, base: Path | None = None) -> NodePlaces:
    """The node of a configuration; its secrets need not be here, but what says where things are must be. Raises
    ``BackupError``."""
    base = base or file.absolute().parent
    config, problems = configuration.check(file, base=base, secrets=False)
    if config is None or problems:
        raise BackupError(*(str(problem) for problem in problems))
    written = tomllib.loads(file.read_bytes().decode())
    for key in WHERE:
        section, _, name = key.partition(".")
        told = written.get(section, {}).get(name)
        if isinstance(told, str) and names(told):
            try:
                looked_up(told, {"base": base, "environ": os.environ})
            except ValueError as error:
                raise BackupError(f"{file}: {key} {error}") from None
    if isinstance(config.control.database, SecretStr):
        config = _with_password(config, written, {"base": base, "environ": os.environ}, file)
    return NodePlaces(folders, config, file, base, written)


def _with_password(config: Config, written: dict[str, Any], context: dict[str, Any], file: Path) -> Config:
    """With the one secret that is needed to find the rows of a database that is a server's."""
    told = written.get("control", {}).get("postgresql", {}).get("password", "")
    try:
        password = SecretStr(looked_up(told, context) if names(told) else told)
    except ValueError as error:
        raise BackupError(f"{file}: control.postgresql.password {error}") from None
    server = config.control.postgresql.model_copy(update={"password": password})
    return config.model_copy(update={"control": config.control.model_copy(update={"postgresql": server})})


def _paths(value: Any, key: str = "") -> Iterator[tuple[str, Path]]:
    if isinstance(value, Path):
        yield key, value.absolute()
    for name, inner in _inner(value):
        yield from _paths(inner, f"{key}.{name}" if key else name)


def _secrets(value: Any, key: str = "") -> Iterator[tuple[str, SecretStr]]:
    if isinstance(value, SecretStr) and not isinstance(value, UnknownSecret):
        yield key, value
    for name, inner in _inner(value):
        yield from _secrets(inner, f"{key}.{name}" if key else name)


def _named(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """What is named by ``env:`` and ``file:``, as it is written."""
    if names(value):
        yield key, value
    for name, inner in _inner(value):
        yield from _named(inner, f"{key}.{name}" if key else name)


def _inner(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield name, getattr(value, name)
    elif isinstance(value, dict):
        yield from ((str(name), inner) for name, inner in value.items())
    elif isinstance(value, list | tuple | set | frozenset):
        yield from ((str(number), inner) for number, inner in enumerate(value))
