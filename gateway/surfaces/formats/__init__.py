"""How one frame of a socket holds messages: every format, in one table that a reader can see.

docs/formats.md says how to add one: a file here, a row, a test file.
"""

from __future__ import annotations

from collections.abc import Callable

from gateway.surfaces.formats import bilibili, single
from gateway.surfaces.formats.format import Format
from gateway.surfaces.input.settings import SurfaceSettings

FORMATS: dict[str, Callable[[SurfaceSettings], Format]] = {
    "json": single.compiled_json,
    "text": single.compiled_text,
    "bilibili": bilibili.compiled,
}
