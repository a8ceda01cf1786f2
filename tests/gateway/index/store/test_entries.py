"""What the index keeps of records, and ids as two integers."""

from __future__ import annotations

import pytest

from gateway.index.store.entries import REMOVED, event_of, halves, heads, message_of, whole
from gateway.journal.write.ids import Ids

JUDGED = {
    "kind": "judged", "id": "0" * 36, "time": 7, "route": "c", "surface": "comment", "room": "r", "sender": "u",
    "verdict": "hold", "findings": [
        {"reason": "keyword.match", "effect": "hold"}, {"reason": "credit.low", "effect": "label"},
        {"reason": "keyword.match", "effect": "mask"},
    ],
}  # fmt: skip


def test_a_message() -> None:
    told = message_of(JUDGED)
    assert told is not None
    assert told.tags == ("reason:keyword.match", "reason:credit.low", "effect:label", "effect:mask", "verdict:hold")
    assert (told.texts, told.state) == (None, "")
    kept = message_of({**JUDGED, "verdict": "pass", "findings": (), "content": {"key": "", "plain": ["a", "b"]}})
    assert kept is not None
    assert (kept.texts, kept.tags) == (("a", "b"), ())
    sealed = message_of({**JUDGED, "content": {"key": "k7", "cipher": "…"}})
    assert sealed is not None
    assert sealed.texts is None


def test_an_imported_bullet_was_sent_when_it_was_sent() -> None:
    told = message_of(
        {
            "kind": "imported",
            "id": "x",
            "time": 9,
            "sent_at": 3,
            "route": "live",
            "room": "r",
            "content": {"plain": ["t"]},
        }
    )
    assert told is not None
    assert (told.time, told.sender, told.state, told.verdict) == (3, "", "delivered", "pass")


def test_what_became() -> None:
    assert message_of({"kind": "page", "id": "x"}) is None
    assert event_of(JUDGED) is None
    assert event_of({"kind": "removal", "id": "", "time": 1, "state": "seen"}) is None  # only the platform's name of it
    removed = event_of({"kind": "removal", "id": "x", "time": 1, "state": "requested"})
    assert removed is not None
    assert removed.standing == REMOVED
    strange = event_of({"kind": "review", "id": "x", "time": 1, "state": "of a later version"})
    assert strange is not None
    assert strange.standing == ""


@pytest.mark.parametrize("name", ["ffffffff-ffff-7fff-bfff-ffffffffffff", "00000000-0000-7000-8000-000000000000"])
def test_ids_are_two_integers(name: str) -> None:
    half = halves(name)
    assert half is not None
    assert all(-(1 << 63) <= one < 1 << 63 for one in half)
    assert whole(*half) == name


def test_what_is_no_id() -> None:
    for name in ("", "x", "0" * 32, "g" * 36, "0" * 36):
        assert halves(name) is None


def test_the_first_half_rises_with_time() -> None:
    now = [1_796_040_000_000_000_000]
    ids = Ids(3, 1, lambda: now[0])
    first = halves(ids())
    now[0] += 10_000_000
    second = halves(ids())
    assert first is not None
    assert second is not None
    low, high = heads(1_796_040_000_000_000, 1_796_040_000_009_000)
    assert low <= first[0] < high <= second[0]
