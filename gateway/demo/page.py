"""A page of the demo, whole: what several pages share is a file of its own, put in where a page names it."""

from __future__ import annotations

import re
from importlib import resources
from typing import Final

PAGES: Final = ("index", "article", "live", "group")
_SHARED = re.compile(r"<!-- shared: ([a-z]+\.[a-z]+) -->\n")


def whole(name: str) -> str:
    """The page of that name (of ``PAGES``), in English. A shared file is put in as it is, so it brings its own tags."""
    folder = resources.files("gateway.demo").joinpath("pages")
    page = folder.joinpath(f"{name}.html").read_text(encoding="utf-8")
    return _SHARED.sub(lambda named: folder.joinpath(named[1]).read_text(encoding="utf-8"), page)
