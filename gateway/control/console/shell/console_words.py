"""The words of the console in both languages: data, one file a page (``words/NAME.toml``), and what all pages share.

A word is ``name = { en = "…", zh = "…" }``. What is asked for and not there is an error, not an empty place.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import SimpleNamespace
from typing import Any, Final

from filters.model.meaning import CHINESE, ENGLISH
from gateway.control.acts.refusal import ControlError

LANGUAGES: Final = (CHINESE, ENGLISH)
TAGS: Final = {CHINESE: "zh-CN", ENGLISH: "en"}
SHARED: Final = "shell"
REFUSALS: Final = "refusals"
NAMES: Final = "names"
KINDS: Final = "kinds"

Wording = SimpleNamespace
"""A page's words in one language, each by its name."""


@cache
def table(name: str) -> Mapping[str, Mapping[str, str]]:
    """A file of words as it is."""
    place = resources.files("gateway.control.console") / "words" / f"{name}.toml"
    return tomllib.loads(place.read_text(encoding="utf-8"))


@cache
def wording(page: str, language: str) -> Wording:
    """What a page says, with what all of them say."""
    found: dict[str, Any] = {}
    for name in (SHARED, page):
        found |= {word: told[language] for word, told in table(name).items()}
    return Wording(**found)


@cache
def named(language: str) -> Mapping[str, str]:
    """Names of states, causes, outcomes … as people read them, by what stands in the record."""
    return {name: told[language] for name, told in table(NAMES).items()}


@cache
def kinds(language: str) -> Mapping[str, str]:
    """What people did, by the kind of the act."""
    return {kind: told[language] for kind, told in table(KINDS).items()}


def told_of(reason: str, language: str, otherwise: str = "") -> str:
    """The sentence for a reason that came back in an address; ``otherwise`` for any that is not in the table."""
    told = table(REFUSALS).get(reason)
    return (told[language] or otherwise) if told is not None else otherwise


def refusal(error: ControlError, language: str) -> str:
    """Why something was not done. Who reads English reads control's own sentence."""
    if language == ENGLISH:
        return error.detail
    told = table(REFUSALS).get(error.reason)
    return told[language] if told is not None else error.detail
