"""One message a frame: JSON or plain text, in text frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gateway.surfaces.formats.format import FormatEntry, Payload
from gateway.surfaces.input.settings import SurfaceSettings


class Single:
    """The frame is the payload."""

    __slots__ = ("binary",)

    def __init__(self, settings: SurfaceSettings) -> None:
        self.binary = False

    def split(self, frame: bytes) -> Sequence[Payload]:
        """See Format."""
        return (Payload(frame),)

    def notice(self, text: bytes) -> bytes:
        """See Format."""
        return text

    def join(self, frame: bytes, changes: Mapping[int, bytes | None]) -> bytes | None:
        """See Format."""
        return changes.get(0, frame)


JSON: FormatEntry = FormatEntry(Single, "json", kinds=True)
TEXT: FormatEntry = FormatEntry(Single, "text")
