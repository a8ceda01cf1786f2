"""What a person reads, in the two languages."""

from __future__ import annotations

from typing import NamedTuple


class Sentence(NamedTuple):
    """Without a full stop."""

    en: str
    zh: str
