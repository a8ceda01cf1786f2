"""What the index takes from the configuration."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.common.defaults import default_size, default_time


@dataclass(frozen=True, slots=True)
class IndexSettings:
    """``texts``: whether texts are indexed, where the journal keeps them. ``max_size``: bytes of all files.
    ``query_time``: seconds that one search works at most."""

    texts: bool = True
    max_size: int = default_size("32GiB")
    query_time: float = default_time("1s")
