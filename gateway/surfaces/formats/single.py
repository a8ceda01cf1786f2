"""One message a frame: JSON or plain text, in text frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gateway.surfaces.formats.format import Payload
from gateway.surfaces.input.settings import SurfaceSettings


class Single:
    """The frame is the payload."""

    __slots__ = ("binary", "kind")

    def __init__(self, kind: str) -> None:
        self.binary = False
        self.kind = kind

    def split(self, frame: bytes) -> Sequence[Payload]:
        """See Format."""
        return (Payload(frame),)

    def notice(self, text: bytes) -> bytes:
        """See Format."""
        return text

    def join(self, frame: bytes, changes: Mapping[int, bytes | None]) -> bytes | None:
        """See Format."""
        return changes.get(0, frame)


def compiled_json(settings: SurfaceSettings) -> Single:
    """JSON text frames."""
    return Single("json")


def compiled_text(settings: SurfaceSettings) -> Single:
    """Plain text frames."""
    return Single("text")
