from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from gateway.common.defaults import default_time, defaults
from gateway.config.values.carrying import carried
from gateway.config.values.section import Section, required, setting
from gateway.config.values.units import Duration


@dataclass(frozen=True, slots=True)
class Bell:
    name: str
    pause: float = default_time("2s")
    longest: float | None = None
    tones: tuple[str, ...] = ()
    labels: Mapping[str, int] = field(default_factory=dict)


BELL = defaults(Bell)


class Tower(Section):
    name: str = required("Name.")
    pause: Duration = setting(BELL.pause, "Pause.")
    longest: Duration | None = setting(BELL.longest, "Longest pause.")
    height: int = setting(3, "Nobody carries it.")


class Music(Section):
    tones: tuple[str, ...] = setting(BELL.tones, "Tones.")
    labels: dict[str, int] = setting(BELL.labels, "Labels.")


def test_what_has_the_same_name_is_carried_over() -> None:
    bell = carried(Bell, Tower(name="b", longest="1m"), Music(tones=("c",), labels={"a": 1}))  # type: ignore[arg-type]
    assert bell == Bell("b", 2.0, 60.0, ("c",), {"a": 1})


def test_what_is_given_comes_before() -> None:
    bell = carried(Bell, Tower(name="b"), name="other", tones=("d",), labels={})
    assert bell == Bell("other", tones=("d",))


@pytest.mark.parametrize(
    ("sections", "given", "why"),
    [
        ((Tower(name="b"),), {}, "Bell.tones: nothing"),
        ((Tower(name="b"), Music()), {"tune": 1}, "has no tune"),
        ((Tower(name="b"), Tower(name="c"), Music()), {}, "Bell.name: Tower and Tower"),
    ],
)
def test_a_field_without_a_source_or_with_two_is_an_error(
    sections: tuple[Section, ...], given: dict[str, Any], why: str
) -> None:
    with pytest.raises(TypeError, match=why):
        carried(Bell, *sections, **given)


def test_a_field_of_another_type_is_an_error() -> None:
    class Wrong(Section):
        name: str | None = setting(None, "Name.")

    with pytest.raises(TypeError, match="Wrong holds"):
        carried(Bell, Wrong(), Music(), pause=1.0, longest=None)
