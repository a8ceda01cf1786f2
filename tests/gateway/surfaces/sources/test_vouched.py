"""What the front vouches for."""

from __future__ import annotations

from typing import Any

import pytest

from filters.model.message import Vouched
from gateway.surfaces.input.pointer import MISSING
from gateway.surfaces.input.reasons import Refused
from gateway.surfaces.sources.vouched import compiled, credit, moment, verification


@pytest.mark.parametrize("value", [True, "true", "TRUE", "yes", "1", 1])
def test_yes(value: Any) -> None:
    assert verification(value) == (True, 0)


@pytest.mark.parametrize("value", [False, "false", "No", "0", 0])
def test_no(value: Any) -> None:
    assert verification(value) == (False, 0)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("1700000000", 1_700_000_000),
        (1_700_000_000, 1_700_000_000),
        (1_700_000_000.9, 1_700_000_000),
        ("2030-01-02", 1_893_542_400),
        ("2030-01-02T00:00:00Z", 1_893_542_400),
        ("2030-01-02T08:00:00+08:00", 1_893_542_400),
        ("1960-01-01", 1),
    ],
)
def test_until(value: Any, seconds: int) -> None:
    assert moment(value) == seconds
    assert verification(value) == (True, seconds)


@pytest.mark.parametrize(
    "value",
    ["maybe", "2", "2030-01-02T00:00:00", "2030-13-01", 1_700_000_000_000, "1700000000000", 5, -1, [], {}, "y", 1e300],
)
def test_anything_else_is_refused(value: Any) -> None:
    with pytest.raises(Refused, match=r"fact\.malformed"):
        verification(value)


@pytest.mark.parametrize(("value", "level"), [(0, 0), ("100", 100), (40, 40), (MISSING, -1), (None, -1), ("", -1)])
def test_level(value: Any, level: int) -> None:
    assert credit(value) == level


@pytest.mark.parametrize("value", [101, -1, "101", "-1", True, 4.5, "high", "４０", "4_0"])
def test_level_out_of_range(value: Any) -> None:
    with pytest.raises(Refused, match=r"fact\.malformed"):
        credit(value)


@pytest.mark.parametrize(
    ("verified", "level", "vouched"),
    [
        (MISSING, MISSING, None),
        ("", "50", None),
        (None, MISSING, None),
        (True, 50, Vouched(True, 0, 50)),
        ("no", MISSING, Vouched(False, 0, -1)),
        ("2030-01-02", MISSING, Vouched(True, 1_893_542_400, -1)),
    ],
)
def test_together(verified: Any, level: Any, vouched: Vouched | None) -> None:
    read = compiled(lambda _: verified, lambda _: level)
    assert read(None) == vouched  # type: ignore[arg-type]
