"""Questions are answered as looking at every record would answer them, page by page, within their time."""

from __future__ import annotations

import random
from typing import Any

import pytest

from gateway.index import searching
from gateway.index.searching import SearchAsked, Searcher, SearchPlace, read_record
from gateway.index.store.day_files import DayFiles
from gateway.index.store.grams import holds, normal
from tests.gateway.index.conftest import DAY, Indexers, Recorded, settle

WORDS = ("微信", "红包", "加我", "你好", "spam", "free money", "ok", "好")


class Many:
    """Messages at random on two nodes and four days, and what is known of them."""

    def __init__(self, journal: Recorded) -> None:
        rng = random.Random(3)
        self.known: list[dict[str, Any]] = []
        for number in range(400):
            if number % 100 == 99:
                journal.at += DAY
                for node in (0, 1):
                    for worker in (0, 1):
                        journal.turn(node, worker)
            place = {"node": rng.randrange(2), "worker": rng.randrange(2)}
            text = "".join(rng.choices(WORDS, k=rng.randrange(1, 4))) if rng.random() < 0.9 else None
            told: dict[str, Any] = {"room": f"r{rng.randrange(5)}", "sender": f"u{rng.randrange(9)}"}
            told["route"] = rng.choice(("comments", "live"))
            verdict = rng.choice(("pass", "pass", "pass", "hold", "reject"))
            reason = rng.choice(("keyword.match", "credit.low")) if verdict != "pass" else ""
            more = {**place, **told, "step": rng.randrange(1000, 60_000_000)}
            name = (
                journal.refused(text, reason, verdict, **more) if reason else journal.judged(text, **more)
            )  # fmt: skip
            at, state = journal.at, ""
            if verdict == "pass":
                state = rng.choice(("delivered", "delivered", "failed"))
                journal.outcome(name, state, **place, **({} if state == "delivered" else {"reason": "upstream.down"}))
                if state == "delivered" and rng.random() < 0.1:
                    state = "removed"
                    journal.removal(name, node=place["node"])
            elif verdict == "hold":
                state = "held"
                journal.outcome(name, "held", **place)
            failed = "upstream.down" if state == "failed" else ""
            self.known.append(
                {
                    "id": name,
                    "at": at,
                    "verdict": verdict,
                    "state": state,
                    "text": text,
                    "reasons": {reason, failed},
                    **told,
                }
            )

    def matching(self, asked: SearchAsked) -> list[str]:
        piece = normal(asked.text)
        return [
            one["id"] for one in reversed(self.known)
            if asked.since_us <= one["at"] < asked.until_us
            and all(getattr(asked, name) in ("", one[name]) for name in ("sender", "room", "route"))
            and (not asked.verdict or one["verdict"] == asked.verdict)
            and (not asked.reason or asked.reason in one["reasons"])
            and (asked.state is None or one["state"] == asked.state)
            and (not piece or (one["text"] is not None and holds([one["text"]], piece)))
        ]  # fmt: skip


def pages(searcher: Searcher, asked: SearchAsked, limit: int, within: float = 60.0) -> list[str]:
    found: list[str] = []
    place = None
    for _ in range(5000):
        page = searcher.search(asked, limit, within, place)
        assert len(page.found) <= limit
        found += [one.record["id"] for one in page.found]
        place = page.place
        if place is None:
            return found
    raise AssertionError("no end")


@pytest.fixture
def many(journal: Recorded, indexers: Indexers) -> Many:
    made = Many(journal)
    settle(indexers())
    return made


def test_every_question_as_a_whole_look_answers_it(many: Many, searcher: Searcher) -> None:
    rng = random.Random(7)
    times = [one["at"] for one in many.known]
    answered = 0
    for _ in range(250):
        given: dict[str, Any] = {}
        for name, values in (
            ("sender", [f"u{number}" for number in range(10)]), ("room", [f"r{number}" for number in range(6)]),
            ("route", ["comments", "live", "nothing"]), ("verdict", ["pass", "hold", "reject"]),
            ("reason", ["keyword.match", "credit.low", "upstream.down", "none.such"]),
            ("state", ["", "delivered", "failed", "held", "removed", "void"]),
            ("text", ["微信", "好", "free", "红包加", "OK", "y你", "不在", "e m"]),
        ):  # fmt: skip
            if rng.random() < 0.25:
                given[name] = rng.choice(values)
        if rng.random() < 0.3:
            since, until = sorted(rng.sample(times, 2))
            given |= {"since_us": since, "until_us": until}
        asked = SearchAsked(**given)
        wanted = many.matching(asked)
        answered += bool(wanted)
        assert pages(searcher, asked, rng.choice((1, 7, 200))) == wanted, asked
    assert answered > 100


def test_new_messages_move_no_page(many: Many, searcher: Searcher, journal: Recorded, indexers: Indexers) -> None:
    wanted = many.matching(SearchAsked())
    first = searcher.search(SearchAsked(), 50, 60)
    journal.judged()
    settle(indexers())
    second = searcher.search(SearchAsked(), 500, 60, first.place)
    assert [one.record["id"] for one in (*first.found, *second.found)] == wanted


def test_a_place_opens_no_other_file(many: Many, searcher: Searcher) -> None:
    """Places come back from whoever asked, who may have altered them."""
    rest = searcher.search(SearchAsked(), 50, 60).place
    assert rest is not None
    for day in (("../../elsewhere", "x"), ("node-0", "2026-99-99"), ("node-0", "a\0b"), ("/etc", "passwd")):
        page = searcher.search(SearchAsked(), 500, 60, SearchPlace({**rest.begun, day: 7}, rest.rest))
        assert [one.record["id"] for one in page.found] == many.matching(SearchAsked())[50:]


def test_time_that_is_over_ends_a_page_and_loses_nothing(
    many: Many, searcher: Searcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "WINDOW", 16)
    now = [0.0]

    def ticking() -> float:
        now[0] += 1.0
        return now[0]

    monkeypatch.setattr(searching, "monotonic", ticking)
    asked = SearchAsked(text="free", room="r1")
    page = searcher.search(asked, 50, 3.0)
    assert not page.complete
    assert page.place is not None
    assert pages(searcher, asked, 50, 3.0) == many.matching(asked)


def test_one_message_and_its_trail(journal: Recorded, indexers: Indexers, searcher: Searcher) -> None:
    name = journal.refused("wait", verdict="hold")
    journal.outcome(name, "held")
    journal.review(name, "approved", person="amy", act="a1")
    journal.at += 2 * DAY
    journal.turn(worker=255)
    journal.review(name, "delivered", release="other")
    settle(indexers())
    told = searcher.message(name)
    assert told is not None
    found, trail = told
    assert found.state == "delivered"
    assert [one["state"] for one in trail] == ["held", "approved", "delivered"]
    plain = journal.judged(worker=3)
    journal.outcome(plain, worker=3, status=201)
    settle(indexers())
    delivered = searcher.message(plain)
    assert delivered is not None
    assert [one["status"] for one in delivered[1]] == [201]
    assert delivered[0].events == []
    assert trail[1]["person"] == "amy"
    assert found.events == [{"at": one["time"], "kind": one["kind"], "state": one["state"]} for one in trail]
    for nobody in ("x", journal.writer(0, 0)[1](), "0" * 36):
        assert searcher.message(str(nobody)) is None
        assert searcher.search(SearchAsked(ids=(str(nobody),)), 1, 1).found == []


def test_what_was_pruned_is_not_told(journal: Recorded, indexers: Indexers, searcher: Searcher) -> None:
    journal.judged()
    journal.turn()
    kept = journal.judged()
    settle(indexers())
    sorted((journal.root / "node-0" / "0").glob("*.jsonl"))[0].unlink()
    assert pages(searcher, SearchAsked(), 10) == [kept]  # before the index has noticed


def test_a_file_that_is_made_anew_is_opened_anew(
    journal: Recorded, indexers: Indexers, searcher: Searcher, files: DayFiles
) -> None:
    name = journal.judged()
    indexer = indexers()
    settle(indexer)
    assert pages(searcher, SearchAsked(), 10) == [name]
    indexer.throw_away()
    assert pages(searcher, SearchAsked(), 10) == []
    settle(indexer)
    assert pages(searcher, SearchAsked(), 10) == [name]


def test_long_records_are_read_whole(journal: Recorded, indexers: Indexers, searcher: Searcher) -> None:
    name = journal.judged("文" * 50_000)
    settle(indexers())
    found = searcher.search(SearchAsked(), 10, 60).found[0]
    assert found.record["id"] == name
    assert read_record(journal.root, searching.RecordPlace("node-0/0", "000001-000001.jsonl", 10**9)) is None
