"""Where in the video a bullet belongs."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.surfaces.input.pointer import MISSING
from gateway.surfaces.input.reasons import Refused
from gateway.surfaces.sources.playback import compiled


@pytest.mark.parametrize(
    ("value", "unit", "place"),
    [
        (12, "s", 12_000),
        (12.3456, "s", 12_346),
        ("12.5", "s", 12_500),
        (1500, "ms", 1500),
        ("0", "ms", 0),
        (MISSING, "s", -1),
        (None, "s", -1),
        ("", "s", -1),
    ],
)
def test_read(value: Any, unit: str, place: int) -> None:
    assert compiled(lambda _: value, unit)(None) == place  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [-1, "-1", True, "1e3", "１２", float("nan"), float("inf"), 10**7, "12:30", [], {}])
def test_refused(value: Any) -> None:
    with pytest.raises(Refused, match=r"fact\.malformed"):
        compiled(lambda _: value, "s")(None)  # type: ignore[arg-type]
