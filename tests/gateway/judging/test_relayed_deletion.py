"""A deletion that passes through is recorded once its answer says so, never before and never otherwise."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from gateway.common.metrics import METRICS, AnswerCounts, Counts
from gateway.http.upstream.failure import UpstreamError
from gateway.judging.relayed_deletion import Deletions, RelayedDeletion
from gateway.surfaces.deletion import DeletionReader, Named

OUR_ID = "01a20094-b11c-7000-8001-0054a58fe235"


class Kept:
    """A journal that keeps records in a list."""

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []

    def insist(self, record: dict[str, Any]) -> None:
        self.records.append({name: value for name, value in record.items() if name not in ("time", "kind")})


def deletion(ids: tuple[str, ...], *, ours: bool) -> tuple[RelayedDeletion, Kept, Counts]:
    counts = Counts(METRICS["tidegate_removals_seen_total"])
    reader = DeletionReader("path:id", ("path:room",), {})
    route = Deletions("deletions", None, "comments", ours, "user", reader, 100, counts)  # type: ignore[arg-type]
    journal = Kept()
    return RelayedDeletion(route, Named(ids, "r1"), journal), journal, counts  # type: ignore[arg-type]


def test_by_the_platforms_id() -> None:
    one, journal, counts = deletion(("7", "8"), ours=False)
    one.on_outcome(204, b"", None)
    common = {"id": "", "by": "user", "state": "seen", "route": "comments", "room": "r1", "status": 204}
    assert journal.records == [{**common, "upstream_id": "7"}, {**common, "upstream_id": "8"}]
    assert counts.values == {("deletions", "named"): 1}


def test_by_ours() -> None:
    one, journal, counts = deletion((OUR_ID, "not one of ours"), ours=True)
    one.on_outcome(200, b"", None)
    assert [record["id"] for record in journal.records] == [OUR_ID]
    assert "upstream_id" not in journal.records[0]
    other, journal, counts = deletion(("x",), ours=True)
    other.on_outcome(200, b"", None)
    assert (journal.records, counts.values) == ([], {("deletions", "unnamed"): 1})


@pytest.mark.parametrize("status", [None, 302, 401, 404, 500])
def test_what_was_not_deleted_is_not_recorded(status: int | None) -> None:
    one, journal, counts = deletion(("7",), ours=False)
    one.on_outcome(status, b"", None if status else UpstreamError("upstream.refused", sent=False))
    assert (journal.records, counts.values) == ([], {})


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (204, None, "2xx"),
        (404, None, "4xx"),
        (None, UpstreamError("upstream.refused", sent=False), "5xx"),
        (None, None, "gone"),
    ],
)
def test_it_is_a_relayed_request_and_counted_as_one(status: int | None, error: UpstreamError | None, kind: str) -> None:
    one, _, _ = deletion((), ours=False)
    counts = Counts(METRICS["tidegate_relayed_requests_total"])
    one._route = dataclasses.replace(one._route, answers=AnswerCounts(counts, "deletions"))
    one.on_outcome(status, b"", error)
    assert {key: count for key, count in counts.values.items() if count} == {("deletions", kind): 1}


def test_an_answer_that_broke_off_behind_its_head_said_enough() -> None:
    one, journal, _ = deletion(("7",), ours=False)
    one.on_outcome(200, b"", UpstreamError("upstream.closed", sent=True, head_relayed=True))
    assert len(journal.records) == 1
