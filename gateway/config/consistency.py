"""What one key alone cannot show: names that refer to other sections, and keys that need each other.

Reads the document as it was written, not the models, so that these problems are told together with all others. It takes
nothing for granted about types: what is wrong in itself is told by the models.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from gateway.config.problems import Problem

if TYPE_CHECKING:
    from gateway.config import Config


def problems(document: dict[str, Any], file: str) -> Iterator[Problem]:
    """Every problem between keys."""
    return iter(())


def warnings(config: Config) -> Iterator[str]:
    """What is allowed, and still worth a second look."""
    return iter(())
