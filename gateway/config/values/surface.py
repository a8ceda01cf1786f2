"""The words for surfaces and formats of frames, and what is said of them: all from their two tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from gateway.surfaces import MIRRORED, SURFACES
from gateway.surfaces.formats import FORMATS

if TYPE_CHECKING:
    SurfaceName = str
    FormatName = str
else:
    SurfaceName = Literal[tuple(SURFACES)]
    FormatName = Literal[tuple(FORMATS)]

Content = Literal["always", "findings", "never"]

WITH_PAGES = " or ".join(sorted(MIRRORED))
"""Surfaces whose messages have a static version."""


def content_by_surface() -> str:
    """When a text is recorded where a route does not say so: “findings” for one, “always” elsewhere."""
    others = [f"“{traits.content}” for {name}" for name, traits in SURFACES.items() if traits.content != "always"]
    return ", ".join([*others, "“always” elsewhere"])


def markup_by_surface() -> str:
    """What is undone where a route does not say so."""
    said = [f"“{traits.markup}” for {name}" for name, traits in SURFACES.items() if traits.markup != "off"]
    return ", ".join([*said, "“off” elsewhere"])


def what_frames_hold() -> str:
    """A sentence for each format whose name does not say it."""
    return "".join(f" {name}: {entry.meaning}." for name, entry in FORMATS.items() if entry.meaning)
