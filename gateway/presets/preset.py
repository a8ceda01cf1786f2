"""A preset as it is read: what it says of itself, and the text of its configuration. Raises nothing that a user sees:
the files come with the program, and a test reads each.

TOML has no way to say a thing once that stands in several routes. A line ``#= NAME`` of the configuration stands for
the text of that name in ``[preset.same]``; whoever has the configuration written finds it in full.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib import resources
from typing import Any, Final, Literal, NamedTuple, cast

from filters.model.errors import TidegateError

MARK: Final = "# == configuration ==\n"
"""The line above which a preset speaks of itself, and below which the configuration stands."""

SITE: Final = "https://site.example"
"""Stands for the origin of the site whose pages show what is written."""

SAME: Final = re.compile(r"^#= ([a-z-]+)\n", re.MULTILINE)
"""A line of the configuration that stands for a text of ``[preset.same]``."""

Unmatched = Literal["relay", "read", "refuse"]
Need = Literal["site", "front"]


class UnknownPreset(TidegateError, KeyError):
    """No preset has this name."""


class Description(NamedTuple):
    """What a preset says of itself in one language."""

    about: str
    judged: tuple[str, ...]
    unjudged: tuple[str, ...]
    refused: str
    cannot: tuple[str, ...]
    todo: tuple[str, ...]


class Preset(NamedTuple):
    """One platform. ``body``: the configuration as it stands in the file; ``document``: the same, parsed. ``asks``:
    what else has to be known. ``tried``: whether a test does it with the published package. ``answers_within``: a
    duration where the usual one is too short for it, or empty."""

    name: str
    title: str
    home: str
    versions: str
    address: str
    unmatched: Unmatched
    asks: tuple[Need, ...]
    tried: bool
    answers_within: str
    en: Description
    zh: Description
    body: str
    document: dict[str, Any]

    def told(self, language: str) -> Description:
        """In Chinese for ``zh``, else in English."""
        return self.zh if language == "zh" else self.en

    @property
    def policies(self) -> list[str]:
        """The policies that its routes name, each once, in their order."""
        routes = self.document["routes"]
        named = [one.get("policy") for route in routes for one in (route, *route.get("messages", ()))]
        return [name for name in dict.fromkeys(named) if name]


@cache
def names() -> tuple[str, ...]:
    """Of all presets, in the alphabet's order; the one to begin a platform of one's own with comes last."""
    found = [path.name.removesuffix(".toml") for path in _folder().iterdir() if path.name.endswith(".toml")]
    return tuple(sorted(found, key=lambda name: (name == "plain", name)))


@cache
def load(name: str) -> Preset:
    """The preset of this name. Raises ``UnknownPreset``."""
    if name not in names():
        raise UnknownPreset(name)
    text = _folder().joinpath(f"{name}.toml").read_text(encoding="utf-8")
    head, mark, body = text.partition(MARK)
    if not mark:
        raise ValueError(f"preset {name} has no line “{MARK.strip()}”")
    said = tomllib.loads(head)["preset"]
    body = SAME.sub(lambda found: str(said["same"][found[1]]), body)
    return Preset(
        name=name,
        title=said["title"],
        home=said["home"],
        versions=said["versions"],
        address=said["address"],
        unmatched=cast(Unmatched, said["unmatched"]),
        asks=tuple(said["asks"]),
        tried=said["tried"],
        answers_within=said.get("answers_within", ""),
        en=_told(said["en"]),
        zh=_told(said["zh"]),
        body=body.strip("\n") + "\n",
        document=tomllib.loads(body),
    )


def _folder() -> Any:
    return resources.files("gateway.presets").joinpath("platforms")


def _told(said: dict[str, Any]) -> Description:
    return Description(
        said["about"],
        tuple(said["judged"]),
        tuple(said["unjudged"]),
        said["refused"],
        tuple(said["cannot"]),
        tuple(said["todo"]),
    )
