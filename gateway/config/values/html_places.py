"""Where in a text of HTML a value of somebody else's may stand: where escaping it is enough.

That is between tags, and within a quoted attribute that is neither run nor followed (OWASP XSS Prevention Cheat Sheet,
“Output Encoding Rules”): a script, a style sheet or an address is something else for what stands in it than HTML is.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Final

_MARK: Final = "tgvalue"
_ACTIVE: Final = frozenset((
    "href", "src", "srcset", "srcdoc", "action", "formaction", "data", "style", "content", "background", "cite",
    "codebase", "manifest", "ping", "poster", "xlink:href", "http-equiv",
))  # fmt: skip
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")


def unsafe(text: str, values: re.Pattern[str]) -> str:
    """Where one of ``values`` stands that escaping does not make harmless; empty where none does."""
    marked = values.sub(_MARK, text)
    reader = _Places()
    reader.feed(marked)
    reader.close()
    if not reader.found and reader.read < marked.count(_MARK):
        return "in a place that is no text"
    return reader.found


class _Places(HTMLParser):
    """``read``: values that stand where they may."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.found = ""
        self.read = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        written = self.get_starttag_text() or ""
        self.read += written.count(_MARK)
        if _MARK in _QUOTED.sub('""', written):
            self.found = f"without quotes in <{tag.replace(_MARK, '…')}>"
        for name, value in attrs:
            if value is not None and _MARK in value and (name in _ACTIVE or name.startswith("on")):
                self.found = f"in {name} of <{tag}>"

    def handle_data(self, data: str) -> None:
        self.read += data.count(_MARK)
        if self.cdata_elem in ("script", "style") and _MARK in data:
            self.found = f"in <{self.cdata_elem}>"
