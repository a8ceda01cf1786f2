"""From pydantic's errors to problems that an operator can act on."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, ValidationError
from pydantic.fields import FieldInfo

from gateway.common.units import duration, size, written_duration, written_size
from gateway.config.consistency.lines import NOWHERE, Lines, line_of
from gateway.config.consistency.problems import ConfigProblem, at, shown, unknown, written
from gateway.config.sections.policies import RULES
from gateway.config.values.named import names

Path = tuple[str | int, ...]


def translate(
    error: ValidationError, model: type[BaseModel], document: Any, file: str, raw: Any, found: Lines = NOWHERE
) -> Iterator[ConfigProblem]:
    """One problem for each error, in the file's order of keys. ``raw``: the document as it is written, where
    ``document`` has what names led to; ``found``: where keys stand."""
    errors = error.errors(include_url=False, include_input=False)
    for one in errors:
        if one["type"] == "too_short" and any(
            len(other["loc"]) > len(one["loc"]) and other["loc"][: len(one["loc"])] == one["loc"] for other in errors
        ):
            continue  # pydantic counts only the items that are well; what ails the others is told
        path = _in_file(tuple(_without_tags(one["loc"])), document)
        value = at(raw, path)
        told = unknown(value, str(path[-1])) if one["type"] == "extra_forbidden" else shown(value, path)
        message = _message(one, path, model, document)
        if names(value) and one["type"] in _NAMED:
            message = f"{_TYPES[one['type']]}: correct what this name holds"
        yield ConfigProblem(file, written(path, document), told, message, line_of(path, found))


def _without_tags(loc: Path) -> Iterator[str | int]:
    """The path in the file: pydantic also names the model of a rule that it chose, and the kind of a key."""
    in_rule = loc[:1] == ("policies",) and loc[2:3] == ("rules",) and len(loc) > 4
    for place, part in enumerate(loc):
        if part == "[key]" or (in_rule and place == 4 and part in RULES):
            continue
        yield part


def _in_file(path: Path, document: Any) -> Path:
    """The path up to what is written there: one text may stand for a list or a table, and one table for a list."""
    told: Path = ()
    for part in path:
        stands = at(document, told)
        if isinstance(stands, str):
            break
        if not (isinstance(part, int) and isinstance(stands, dict)):
            told = (*told, part)
    return told


def _message(one: Any, path: Path, model: type[BaseModel], document: Any) -> str:
    context = one.get("ctx", {})
    kind: str = one["type"]
    match kind:
        case "value_error":
            return str(context["error"])
        case "missing":
            return f"is missing: {_meaning(path, model, document)}"
        case "extra_forbidden":
            return "is not a known key" + nearest(str(path[-1]), _keys(path[:-1], model, document))
        case "literal_error":
            value = at(document, path)
            options = [option.strip("'") for option in context["expected"].replace(" or ", ", ").split(", ")]
            return "is not one of " + ", ".join(options) + similar(value, options)
        case "union_tag_invalid":
            value = at(document, (*path, "check"))
            return f"has an unknown check {shown(value)}" + nearest(str(value), list(RULES))
        case "union_tag_not_found":
            return f"has no check: name one of {', '.join(RULES)}"
        case "greater_than_equal":
            return f"is too small: at least {_bound(context['ge'], path, model, document)}"
        case "greater_than":
            return f"is too small: above {_bound(context['gt'], path, model, document)}"
        case "less_than_equal":
            return f"is too large: at most {_bound(context['le'], path, model, document)}"
        case "less_than":
            return f"is too large: below {_bound(context['lt'], path, model, document)}"
        case "too_short":
            return f"has too few items: at least {context['min_length']}"
        case "string_too_short":
            return f"is empty: write at least {context['min_length']} character"
        case "string_too_long":
            return f"is too long: at most {context['max_length']} characters"
        case "string_pattern_mismatch":
            return f"has a form that is not accepted: {_meaning(path, model, document)}"
        case "int_type" | "float_type" | "bool_type":
            quoted = ": write it without quotes" if isinstance(at(document, path), str) else ""
            return f"{_TYPES[kind]}{quoted}"
        case "tuple_type" if isinstance(at(document, path), dict):
            return f"is one table: write [[{'.'.join(map(str, path))}]] before each, in two brackets"
        case "dict_type" | "model_type" if _tables(at(document, path)):
            name = ".NAME" if kind == "dict_type" else ""
            return f"is a list of tables: write [{'.'.join(map(str, path))}{name}], in one bracket"
        case _:
            return _TYPES.get(kind, f"is not accepted: {one['msg']}")


def _tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)


_NAMED = frozenset(("int_type", "float_type", "bool_type"))
"""What a name may stand for; quotes around it are no fault."""

_TYPES = {
    "string_type": "is not text: write it in quotes",
    "int_type": "is not a whole number",
    "int_parsing": "is not a whole number",
    "int_from_float": "is not a whole number",
    "float_type": "is not a number",
    "float_parsing": "is not a number",
    "finite_number": "is not a finite number",
    "bool_type": "is neither true nor false",
    "tuple_type": "is not a list: write it in [brackets]",
    "dict_type": "is not a table",
    "model_type": "is not a table",
    "model_attributes_type": "is not a table",
}


def _bound(value: Any, path: Path, model: type[BaseModel], document: Any) -> str:
    """A bound as an operator writes what stands there: with its unit, where that has one."""
    if (read := _reader(path, model, document)) is not None:
        return written_duration(value) if read is duration else written_size(int(value))
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _reader(path: Path, model: type[BaseModel], document: Any) -> Any:
    """``duration`` or ``size``, where a key is read with one of them."""
    keys = [part for part in path if isinstance(part, str)]  # an item of a list is of the list's own kind
    field = _field(path if path and path[-1:] == tuple(keys[-1:]) else path[:-1], model, document)
    told = [field.metadata, field.annotation] if field is not None else []
    found = [one.func for one in _inside(told) if isinstance(one, BeforeValidator)]
    return next((one for one in found if one in (duration, size)), None)


def _inside(told: Any) -> Iterator[Any]:
    """Everything that annotations hold, at whatever depth."""
    if isinstance(told, list | tuple):
        for one in told:
            yield from _inside(one)
    elif inner := get_args(told):
        yield from _inside(inner)
    else:
        yield told


def kinds_at(path: Path, model: type[BaseModel], document: Any) -> list[Any]:
    """The types that the value at ``path`` may have, as far as the models say."""
    place = len(path)
    while place and isinstance(path[place - 1], int):
        place -= 1
    field = _field(path[:place], model, document)
    return list(_inside(field.annotation)) if field is not None else []


def _field(path: Path, model: type[BaseModel], document: Any) -> FieldInfo | None:
    owner = _model_at(path[:-1], model, document) if path else None
    return owner.model_fields.get(str(path[-1])) if owner else None


def nearest(value: str, known: Sequence[str]) -> str:
    """A remedy for a name that nobody knows: the nearest one, or all of them."""
    return similar(value, known) or _all(known)


def similar(value: Any, known: Sequence[str]) -> str:
    """The nearest of too many names to tell them all; nothing where none is near."""
    close = difflib.get_close_matches(value, known, 1, 0.6) if isinstance(value, str) else ()
    return f": did you mean “{close[0]}”?" if close else ""


def _all(known: Sequence[str]) -> str:
    return f": known are {', '.join(sorted(known))}" if known else ": there is none yet"


def _keys(path: Path, model: type[BaseModel], document: Any) -> list[str]:
    found = _model_at(path, model, document)
    return list(found.model_fields) if found else []


def _meaning(path: Path, model: type[BaseModel], document: Any) -> str:
    field = _field(path, model, document)
    return (field.description if field else None) or "see docs/configuration.md"


def _model_at(path: Path, model: type[BaseModel], document: Any) -> type[BaseModel] | None:
    """The model that the table at ``path`` is read with; None where it is not a table of ours."""
    found: Any = model
    for place, part in enumerate(path):
        here = kinds(found)
        tables = _models(here if isinstance(part, int) else [*here, *_rows(here)])
        if tables:
            field = tables[0].model_fields.get(str(part))
            if field is None:
                return None
            found = field.annotation
            if path[:1] == ("policies",) and path[2:3] == ("rules",) and place == 2 and len(path) > 3:
                rule = RULES.get(str(at(document, (*path[:4], "check"))))
                return rule if len(path) == 4 else None
        else:
            containers = [get_args(kind) for kind in here if get_origin(kind) in (tuple, dict)]
            if not containers:
                return None
            found = containers[0][1] if isinstance(part, str) else containers[0][0]
    tables = _models([*kinds(found), *_rows(kinds(found))])
    return tables[0] if tables else None


def _models(annotations: list[Any]) -> list[type[BaseModel]]:
    return [kind for kind in annotations if isinstance(kind, type) and issubclass(kind, BaseModel)]


def _rows(annotations: list[Any]) -> list[Any]:
    """What the items of a list are: one table may stand for it."""
    return [row for kind in annotations if get_origin(kind) is tuple for row in kinds(get_args(kind)[0])]


def kinds(annotation: Any) -> list[Any]:
    """The alternatives that an annotation stands for."""
    if get_origin(annotation) is Annotated:
        return kinds(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return [kind for one in get_args(annotation) for kind in kinds(one)]
    return [annotation]
