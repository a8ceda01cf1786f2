"""What a format is: pure bytes to payloads and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple, Protocol

from gateway.surfaces.input.settings import SurfaceSettings


class Payload(NamedTuple):
    """One thing inside a frame. ``judged`` is false for what the format itself knows to be no message (a heartbeat)."""

    data: bytes
    judged: bool = True


class Format(Protocol):
    """``binary``: frames come with opcode 2, not 1.

    Two laws, held by a property test of every format: ``join(frame, {}) == frame``; and after
    ``split(join(frame, {i: data}))`` payload ``i`` is ``data`` and all others are as they were.
    """

    binary: bool

    def split(self, frame: bytes) -> Sequence[Payload]:
        """Everything in the frame, in order. ``Refused`` where any of it is not framed as it should be."""

    def notice(self, text: bytes) -> bytes:
        """``text`` (UTF-8, mostly JSON) of a notice of ours to the sender, as a frame's payload in this format."""

    def join(self, frame: bytes, changes: Mapping[int, bytes | None]) -> bytes | None:
        """The frame with payloads replaced, or left out (None), by their index; None when nothing is left."""


class FormatEntry(NamedTuple):
    """A row of ``FORMATS``.

    ``compiled`` makes a route's format. ``payload``: what a judged payload is, and so which sources of text read it.
    ``meaning``: for the configuration's reference, where the name does not say it. ``kinds``: a frame is one document,
    which may be of one of several kinds (``surfaces/kinds``).
    """

    compiled: Callable[[SurfaceSettings], Format]
    payload: Literal["json", "text"]
    meaning: str = ""
    kinds: bool = False
