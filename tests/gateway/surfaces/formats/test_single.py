"""One message a frame."""

from __future__ import annotations

import pytest

from gateway.surfaces.formats import FORMATS
from gateway.surfaces.input.settings import SurfaceSettings

SETTINGS = SurfaceSettings("r", "danmaku", ("header:X",), ("json:/content",))


@pytest.mark.parametrize("name", ["json", "text"])
def test_the_frame_is_the_payload(name: str) -> None:
    format = FORMATS[name].compiled(SETTINGS)
    assert (FORMATS[name].payload, format.binary) == (name, False)
    assert [payload.data for payload in format.split(b"x")] == [b"x"]
    assert format.join(b"x", {}) == b"x"
    assert format.join(b"x", {0: b"y"}) == b"y"
    assert format.join(b"x", {0: None}) is None
