"""The reference of every key, as Markdown: rendered from the models, so that it cannot drift from them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from filters.checks import CHECKS
from gateway.config import Config
from gateway.config.consistency.translation import kinds
from gateway.config.sections.policies import RULES, Rule

BEGIN = "<!-- reference: written by `make reference`, do not edit below -->"


def keys(model: type[BaseModel] = Config, path: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Every key with its dotted path; NAME stands for a name of one's own, [] for an item of a list."""
    for name, field in model.model_fields.items():
        here = f"{path}.{name}" if path else name
        yield here, field
        for below, suffix in _tables(field.annotation):
            if below is Rule:
                yield from _rule_keys(f"{here}{suffix}")
            else:
                yield from keys(below, f"{here}{suffix}")


def _rule_keys(path: str) -> Iterator[tuple[str, FieldInfo]]:
    seen: set[str] = set()
    models: tuple[type[Rule], ...] = (Rule, *RULES.values())
    for model in models:
        for name, field in model.model_fields.items():
            if name not in seen:
                seen.add(name)
                yield f"{path}.{name}", field


def _tables(annotation: Any) -> Iterator[tuple[type[BaseModel], str]]:
    for kind in kinds(annotation):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield (Rule if issubclass(kind, Rule) else kind), ""
            if issubclass(kind, Rule):
                return  # the kinds of rules are listed together
        elif get_origin(kind) is dict:
            yield from ((model, ".NAME" + suffix) for model, suffix in _tables(get_args(kind)[1]))
        elif get_origin(kind) is tuple:
            yield from ((model, "[]" + suffix) for model, suffix in _tables(get_args(kind)[0]))


def default(field: FieldInfo) -> str:
    """A key's default as it would be written in TOML."""
    if field.is_required():
        return "required"
    value = field.get_default()
    if value is None:
        return "unset"
    return f"`{toml(value)}`"


def toml(value: Any) -> str:
    """A value in TOML."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml(one)}" for key, one in value.items()) + " }" if value else "{}"
    if isinstance(value, tuple | list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return str(value)


def choices(field: FieldInfo) -> str:
    """The words that a key accepts, where they are fixed."""
    told = [
        f"`{one}`"
        for kind in kinds(field.annotation)
        for inner in ([kind] if get_origin(kind) is Literal else [k for a in get_args(kind) for k in kinds(a)])
        if get_origin(inner) is Literal
        for one in get_args(inner)
    ]
    return f" One of {', '.join(told)}." if len(told) > 1 else ""


def reference() -> str:
    """Tables of all keys, one for each section, sub-tables after their section."""
    lines = [BEGIN, ""]
    for name, field in Config.model_fields.items():
        listed = [one for one in keys() if one[0].startswith((f"{name}.", f"{name}["))]
        heading = {"routes": "[[routes]]"}.get(name, f"[{name}{'.NAME' if listed[0][0].count('.NAME') else ''}]")
        lines += [f"### `{heading}`", "", str(field.description), "", "| key | default | meaning |", "|---|---|---|"]
        prefix = next(one[0] for one in listed).rpartition(".")[0]
        for path, below in listed:
            meaning = f"{below.description}{choices(below)}".replace("|", "\\|")
            lines.append(
                f"| `{path.removeprefix(prefix + '.')}` | {default(below)} | {meaning} |".replace("|PATCH", "\\|PATCH")
            )
        lines.append("")
    lines += ["### Checks, their options and reasons", ""]
    for name, model in RULES.items():
        check = CHECKS[name]
        own = [key for key in model.model_fields if key not in Rule.model_fields]
        options = f" Options: {_quoted(own)}." if own else ""
        lines += [f"- `{name}`: {model.__doc__}{options} Reasons: {_quoted(check.reasons)}.", ""]
        lines += [f"      {check.sample}", ""]
    return "\n".join(lines)


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
