"""A preset and the answers of whoever sets it up, made into one configuration: pure, text in and text out."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final, Literal

from gateway.presets.preset import SITE, Preset

LISTEN: Final = "127.0.0.1:8080"
OTHER_LISTEN: Final = "127.0.0.1:8090"
"""Where the platform has the port of ``LISTEN`` already."""
CONTROL: Final = "127.0.0.1:8081"
FRONT: Final = ("127.0.0.1/32", "::1/128")
STARTERS: Final = (("spam", "reject"), ("gambling", "reject"), ("abuse", "mask"))
"""The small lists that come with the program, and what becomes of their words."""

Language = Literal["auto", "zh", "en"]

_PLACE = re.compile(r'"((?:[A-Z]+(?:\|[A-Z]+)*) )(/[^"]*)"')
_PAGE = re.compile(r'^(page = ")(/[^"]*)"', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Answers:
    """``address``: the platform's, a URL. ``fronts``: ranges of the peers whose word on addresses and senders counts.
    ``site``: origin whose pages show it, or empty. ``under``: the folder of its host that the platform lies in, or
    empty. ``refused``, ``masked``: word lists, as paths that the configuration can name. ``appeal``: address or “off”.
    """

    address: str
    listen: str
    control: str = CONTROL
    fronts: tuple[str, ...] = FRONT
    site: str = ""
    under: str = ""
    refused: tuple[str, ...] = ()
    masked: tuple[str, ...] = ()
    appeal: str = "off"
    language: Language = "auto"


def listen_for(address: str) -> str:
    """Where the gateway listens if nobody says so: not on the platform's own port."""
    return OTHER_LISTEN if address.rstrip("/").endswith(":8080") else LISTEN


def starters() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Paths of the lists that come with the program: those that refuse, and those that mask."""
    refused, masked = (
        tuple(f"lists/{name}.txt" for name, action in STARTERS if action == wanted) for wanted in ("reject", "mask")
    )
    return refused, masked


def composed(preset: Preset, answers: Answers) -> str:
    """The whole file."""
    lists = _names((*answers.refused, *answers.masked))
    refused, masked = lists[: len(answers.refused)], lists[len(answers.refused) :]
    parts = [
        _head(preset),
        _server(preset, answers),
        _upstream(preset, answers),
        *(
            f"[lists.{name}]\npath = {_text(path)}\n"
            for name, path in zip(lists, (*answers.refused, *answers.masked), strict=True)
        ),
        _sentences(answers),
        *(_policy(name, answers.appeal, refused, masked) for name in preset.policies),
        _body(preset, answers),
    ]
    return "\n".join(parts)


def _head(preset: Preset) -> str:
    tried = "tried against the published package" if preset.tried else "written from its sources and documentation"
    versions = f" ({preset.versions})" if preset.versions else ""
    return (
        f"# Tidegate in front of {preset.title}{versions}; {tried}.\n"
        "# Every key: docs/configuration.md. After a change: tidegate config check.\n"
    )


def _server(preset: Preset, answers: Answers) -> str:
    told = {
        "relay": "what no route names is relayed, and judged by nobody",
        "read": "what no route names may be read, and not written",
        "refuse": "what no route names is refused",
    }[preset.unmatched]
    fronts = ", ".join(_text(one) for one in answers.fronts)
    return (
        f"[server]\nlisten = {_text(answers.listen)}\n"
        f'unmatched = "{preset.unmatched}"{" " * (15 - len(preset.unmatched))}# {told}\n'
        f"trusted_proxies = [{fronts}]  # whose word on addresses and senders counts: the front, nobody else\n\n"
        f"[control]\nlisten = {_text(answers.control)}         # admin API, health, metrics\n"
    )


def _upstream(preset: Preset, answers: Answers) -> str:
    waits = f"answer_timeout = {_text(preset.answers_within)}\n" if preset.answers_within else ""
    return f"[upstreams.platform]\nservers = [{_text(answers.address)}]\n{waits}"


def _sentences(answers: Answers) -> str:
    grounds = "\n".join(f'"{en}" = {{ zh = "{zh}" }}' for en, zh in GROUNDS.items())
    return f'[sentences]\nlanguage = "{answers.language}"\n\n[sentences.terms]\n{grounds}\n'


GROUNDS: Final = {
    "site rules: words": "本站规则：用语",
    "site rules: order": "本站规则：秩序",
    "site rules: sanctions": "本站规则：处置",
}
"""What a refusal rests on, to be put in the operator's own words: in English, and in Chinese."""

_WORDS, _ORDER, _SANCTIONS = GROUNDS

POLICIES: Final = {
    "messages": 'limits = ["sender 5/10s", "ip 300/1m"]',
    "live": 'limits = ["sender 3/5s", "ip 600/1m"]',
    "names": 'limits = ["sender 10/10m", "ip 100/10m"]',
}
"""Each by the limits that tell it from the others: ``messages`` are written at leisure, ``live`` ones while a video or
a chat runs, ``names`` seldom. A name is not asked whether it was said before, and is refused rather than masked."""


def _policy(name: str, appeal: str, refused: list[str], masked: list[str]) -> str:
    rules = [
        _rule("block", "reject", "reject", _SANCTIONS),
        _rule("room", "reject", "reject", _SANCTIONS),
        _rule("limit", "reject", "pass", _ORDER, POLICIES[name]),
    ]
    if name == "names":
        refused, masked = [*refused, *masked], []
    if refused:
        rules.append(_rule("keywords", "reject", "reject", _WORDS, f"lists = {_listed(refused)}"))
    if masked:
        rules.append(_rule("keywords", "mask", "reject", _WORDS, f"lists = {_listed(masked)}"))
    if name != "names":
        rules.append(_rule("repeats", "reject", "pass", _ORDER, 'limit = "3/1m"'))
    inner = "\n".join(f"  {rule}," for rule in rules)
    return f"[policies.{name}]\nappeal = {_text(appeal)}\nrules = [\n{inner}\n]\n"


def _rule(check: str, action: str, on_error: str, ground: str, more: str = "") -> str:
    keys = [
        f'check = "{check}",{" " * (8 - len(check))}',
        f'action = "{action}",{" " * (6 - len(action))}',
        f'on_error = "{on_error}",{" " * (6 - len(on_error))}',
        f'ground = "{ground}"' + (f", {more}" if more else ""),
    ]
    return f"{{ {' '.join(keys)} }}"


def _body(preset: Preset, answers: Answers) -> str:
    body = preset.body.replace(SITE, answers.site) if answers.site else preset.body
    under = answers.under.rstrip("/")
    if under:
        body = _PLACE.sub(lambda found: f'"{found[1]}{under}{found[2]}"', body)
        body = _PAGE.sub(lambda found: f'{found[1]}{under}{found[2]}"', body)
    return body


def _names(paths: tuple[str, ...]) -> list[str]:
    """Of lists, by their files; of two alike the second has a number."""
    found: list[str] = []
    for path in paths:
        name = re.sub(r"[^A-Za-z0-9_-]+", "-", PurePath(path).stem).strip("-_")[:60] or "list"
        again = [name, *(f"{name}-{number}" for number in range(2, len(paths) + 2))]
        found.append(next(one for one in again if one not in found))
    return found


def _listed(names: list[str]) -> str:
    return f"[{', '.join(_text(name) for name in names)}]"


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
