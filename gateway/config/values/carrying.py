"""From a section of the configuration to the settings of a part: what has the same name is carried over."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from gateway.config.values.section import Section

T = TypeVar("T")


def carried(settings: type[T], *sections: Section, **given: object) -> T:
    """``settings`` (a dataclass), each field from ``given`` or else from the section that has a key of its name.

    TypeError where a field has no source, or two, or one of another type: a setting that nothing reaches is no
    setting, and a default that hides this would be found by nobody. What is ``given`` stands for what cannot be
    carried: it is converted, or comes from elsewhere.
    """
    places = _places(cast(Any, settings), tuple(type(section) for section in sections), frozenset(given))
    return settings(**given, **{name: getattr(sections[place], name) for name, place in places})


@cache
def _places(
    settings: type[Any], sections: tuple[type[Section], ...], given: frozenset[str]
) -> tuple[tuple[str, int], ...]:
    """(field, which section has it), for every field that is not given."""
    hints = get_type_hints(settings)
    names = [field.name for field in dataclasses.fields(settings)]
    if strange := given - set(names):
        raise TypeError(f"{settings.__name__} has no {', '.join(sorted(strange))}")
    places = []
    for name in names:
        if name in given:
            continue
        having = [place for place, section in enumerate(sections) if name in section.model_fields]
        if len(having) != 1:
            known = " and ".join(sections[place].__name__ for place in having) or "nothing"
            raise TypeError(f"{settings.__name__}.{name}: {known} has a key of this name")
        wanted, found = plain(hints[name]), plain(sections[having[0]].model_fields[name].annotation)
        # One of a few words is a text.
        if wanted != found and not (
            get_origin(found) is Literal and {type(one) for one in get_args(found)} == {wanted}
        ):
            raise TypeError(f"{settings.__name__}.{name} is {wanted}, {sections[having[0]].__name__} holds {found}")
        places.append((name, having[0]))
    return tuple(places)


def plain(annotation: Any) -> Any:
    """A type without what only validation needs to know of it; a mapping is a dict."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return plain(inner[0])
    if origin in (Union, UnionType):
        return Union[tuple(plain(one) for one in inner)]  # noqa: UP007
    if origin in (dict, Mapping):
        return cast(Any, dict)[tuple(plain(one) for one in inner)]
    if origin is tuple:
        return cast(Any, tuple)[tuple(one if one is Ellipsis else plain(one) for one in inner)]
    return annotation
