"""A default stands once: with the settings of the part that keeps to it, written as an operator would write it.

    @dataclass(frozen=True, slots=True)
    class ServerSettings:
        max_head: int = default_size("16KiB")          # ServerSettings().max_head == 16384
        max_headers: int = 100

    SERVER = defaults(ServerSettings)                  # in the configuration's section
    max_head: Size = setting(SERVER.max_head, "…")     # "16KiB", as schema and reference show it

So the part knows nothing of the configuration, and the configuration repeats no number of the part's.
"""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any, TypeVar, cast

from gateway.common.units import Rate, duration, rate, size, written_size

T = TypeVar("T")

_WRITTEN = "written"


def default_size(told: str | int) -> int:
    """A field of a dataclass whose default is so many bytes, as in ``64KiB``; or those that a part below bounds."""
    text = told if isinstance(told, str) else written_size(told)
    return cast(int, _field(size(text), text))


def default_time(text: str) -> float:
    """A field of a dataclass whose default is so many seconds, as in ``20ms``."""
    return cast(float, _field(duration(text), text))


def default_rate(text: str) -> Rate:
    """A field of a dataclass whose default is a rate, as in ``10/1m``."""
    return cast(Rate, _field(rate(text), text))


def defaults(settings: type[T]) -> T:
    """The defaults of a dataclass or named tuple, each as it is written in a file.

    It reads like an instance, so that the type checker knows its names, but holds no field without a default: asking
    for one is an AttributeError where the module that asks is imported.
    """
    told: dict[str, Any] = dict(getattr(settings, "_field_defaults", {}))
    for field in dataclasses.fields(cast(Any, settings)) if dataclasses.is_dataclass(settings) else ():
        if field.default is not dataclasses.MISSING:
            told[field.name] = field.metadata.get(_WRITTEN, field.default)
        elif field.default_factory is not dataclasses.MISSING:
            told[field.name] = field.default_factory()
    return cast(T, SimpleNamespace(**told))


def _field(value: Any, text: str) -> Any:
    return dataclasses.field(default=value, metadata={_WRITTEN: text})
