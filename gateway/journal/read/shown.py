"""What people saw of a message that passed: its texts with what rules masked masked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from filters.model.verdict import Finding, Hit
from filters.policy import masked


def shown_texts(record: Mapping[str, Any]) -> tuple[str, ...]:
    """Of a ``judged`` record; empty where its texts were not kept."""
    texts: tuple[str, ...] = tuple((record.get("content") or {}).get("plain") or ())
    masks = [found for found in record.get("findings", ()) if found["effect"] == "mask" and "spans" in found]
    return masked(texts, [_mask(found) for found in masks]) if masks and texts else texts


def _mask(found: Mapping[str, Any]) -> Finding:
    spans = tuple((start, end) for start, end in found["spans"])
    return Finding(found["check"], found["reason"], Hit("", "", 0, "", 0, found["field"], spans))
