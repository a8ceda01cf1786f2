"""Which documents are messages."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.surfaces.bodies.conditions import compiled
from gateway.surfaces.input.reasons import Refused
from gateway.surfaces.input.settings import SurfaceError

BOTH = compiled({"/type": ("danmaku", "chat"), "/v": (1,)}, {"/type": ("ping", True)})


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"type": "danmaku", "v": 1}, True),
        ({"type": "chat", "v": 1.0}, True),
        ({"type": "ping"}, False),
        ({"type": True}, False),
    ],
)
def test_known(document: Any, message: bool) -> None:
    assert BOTH(document) is message


@pytest.mark.parametrize(
    "document",
    [{}, [], None, "danmaku", {"type": "danmaku"}, {"type": "danmaku", "v": True}, {"type": 1}, {"type": ["ping"]}],
)
def test_the_rest_is_refused(document: Any) -> None:
    with pytest.raises(Refused, match=r"frame\.unknown"):
        BOTH(document)


def test_a_key_in_another_case_is_refused() -> None:
    with pytest.raises(Refused, match=r"body\.key_case"):
        BOTH({"Type": "ping"})


def test_only_relay_when() -> None:
    holds = compiled({}, {"/type": ("ping",)})
    assert (holds({"type": "ping"}), holds({"type": "x"}), holds({})) == (False, True, True)


def test_only_message_when() -> None:
    holds = compiled({"/type": ("chat",)}, {})
    assert holds({"type": "chat"})
    with pytest.raises(Refused, match=r"frame\.unknown"):
        holds({"type": "ping"})


def test_what_is_no_pointer() -> None:
    with pytest.raises(SurfaceError, match="relay_when"):
        compiled({}, {"type": ("ping",)})
