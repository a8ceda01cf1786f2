"""Surfaces with a fixed clock, and requests from plain values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from gateway.surfaces import compiled
from gateway.surfaces.input.request import Arrived
from gateway.surfaces.input.settings import SurfaceSettings
from gateway.surfaces.surface import Surface

NOW_US = 1_700_000_000_000_000


@pytest.fixture
def make_request() -> Callable[..., Arrived]:
    """A request; headers as a list of pairs in the order they come."""

    def build(headers: Sequence[tuple[str, str]] = (), *, trusted: bool = True, **more: Any) -> Arrived:
        fields: dict[bytes, bytes] = {}
        repeated: set[bytes] = set()
        for name, value in headers:
            key, raw = name.lower().encode(), value.encode()
            if key in fields:
                repeated.add(key)
                raw = fields[key] + b", " + raw
            fields[key] = raw
        more.setdefault("method", b"POST")
        more.setdefault("parameters", {"room": "r1"})
        more.setdefault("peer_ip", "192.0.2.1")
        return Arrived(fields=fields, repeated=repeated, peer_trusted=trusted, **more)

    return build


@pytest.fixture
def make_surface() -> Callable[..., Surface]:
    """A surface with the settings of a plain comment route, but for those given."""

    def build(**changed: Any) -> Surface:
        settings = {
            "name": "c",
            "surface": "comment",
            "sender": ("header:X-User-Id",),
            "room": ("path:room",),
            "text": ("json:/content",),
        }
        return compiled(SurfaceSettings(**(settings | changed)), lambda: "id-1", lambda: NOW_US)

    return build
