"""What a surface says of itself: whoever treats surfaces differently asks here, and nobody compares their names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

from filters.text.markup import Markup
from gateway.surfaces.input.settings import SurfaceSettings
from gateway.surfaces.surface import Surface

Compiled = Callable[[SurfaceSettings, Callable[[], str], Callable[[], int]], Surface]


class Traits(NamedTuple):
    """A row of ``SURFACES``.

    ``compiled`` makes a route's surface; ``SurfaceError`` names the setting that makes no sense, and the remedy.
    ``services``: what a route is in the words of the regulations where it does not say so itself.
    ``mirrored``: every message has a static version (law 6); the route names its page, and its text is recorded.
    ``edits``: a message may replace an earlier one.
    ``content``: when the text goes into the journal, where the route does not say so.
    ``markup``: what the platform undoes before people read a text, where the route does not say so.
    """

    compiled: Compiled
    services: tuple[str, ...]
    mirrored: bool = False
    edits: bool = True
    content: Literal["always", "findings", "never"] = "always"
    markup: Markup = "off"
