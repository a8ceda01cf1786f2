"""How one frame of a socket holds messages: every format, in one table that a reader can see.

The configuration's words and reference come from the table. docs/formats.md says how to add one: a file here, a row,
a test file.
"""

from __future__ import annotations

from gateway.surfaces.formats import bilibili, single
from gateway.surfaces.formats.format import FormatEntry

FORMATS: dict[str, FormatEntry] = {
    "json": single.JSON,
    "text": single.TEXT,
    "bilibili": bilibili.ENTRY,
}
