from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import pytest

from gateway.common.defaults import default_rate, default_size, default_time, defaults
from gateway.common.units import Rate


@dataclass(frozen=True, slots=True)
class Kettle:
    name: str
    holds: int = default_size("2KiB")
    bound: int = default_size(3 << 20)
    boils: float = default_time("1m30s")
    clicks: Rate | None = default_rate("2/1s")  # noqa: RUF009 - it is a field
    cups: int = 4
    labels: Mapping[str, str] = field(default_factory=dict)


class Bounds(NamedTuple):
    least: int
    most: int = 7


def test_an_instance_holds_values() -> None:
    kettle = Kettle("k")
    assert (kettle.holds, kettle.bound, kettle.boils, kettle.clicks) == (2048, 3 << 20, 90.0, Rate(2, 1.0))
    assert (kettle.cups, kettle.labels) == (4, {})


def test_defaults_are_as_they_are_written() -> None:
    told = defaults(Kettle)
    assert (told.holds, told.bound, told.boils, told.clicks) == ("2KiB", "3MiB", "1m30s", "2/1s")
    assert (told.cups, told.labels) == (4, {})
    assert defaults(Bounds).most == 7


def test_what_has_no_default_is_asked_in_vain() -> None:
    with pytest.raises(AttributeError):
        _ = defaults(Kettle).name
    with pytest.raises(AttributeError):
        _ = defaults(Bounds).least


def test_a_default_without_its_unit_is_refused_where_it_is_written() -> None:
    with pytest.raises(ValueError, match="64KiB"):
        default_size("2")
    with pytest.raises(ValueError, match="20ms"):
        default_time("2")
