"""What people saw of a message."""

from __future__ import annotations

from gateway.journal.read.shown import shown_texts

MASK = {"check": "keywords", "reason": "keyword.match", "effect": "mask", "field": 1, "spans": [[0, 2]]}


def test_with_masks_masked_and_otherwise_as_it_was_sent() -> None:
    record = {"content": {"plain": ["a title", "buy this"]}, "findings": [MASK, {**MASK, "effect": "label"}]}
    assert shown_texts(record) == ("a title", "**y this")
    assert shown_texts({**record, "findings": []}) == ("a title", "buy this")
    assert shown_texts({"findings": [MASK]}) == ()
