"""The lease: whose it is by the database's clock, and until when its holder believes in it."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.control.acts.database import Database
from gateway.control.nodes import leading
from gateway.control.nodes.leading import TERM_US, Leading


@pytest.fixture
def database(place: Any) -> Any:
    made = Database(place)
    yield made
    made.close()


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The database's clock, to be set."""
    time = {"now": 1_000_000_000}
    monkeypatch.setattr(leading, "clock_us", lambda session: time["now"])
    return time


def test_one_has_it_until_it_ends_or_is_given_back(database: Database, at: dict[str, int]) -> None:
    def asks(holder: str) -> bool:
        return database.now(lambda session: leading.renewed(session, holder))

    assert asks("1:a")
    assert not asks("2:b")
    at["now"] += TERM_US - 1
    assert not asks("2:b")
    assert asks("1:a")
    at["now"] += TERM_US
    assert asks("2:b")
    assert not asks("1:a")
    database.now(lambda session: leading.given_back(session, lambda holder: holder == "1:a"))
    assert not asks("1:a")
    database.now(lambda session: leading.given_back(session, lambda holder: holder == "2:b"))
    assert asks("1:a")


def test_its_holder_counts_from_before_it_asked_and_stops_at_two_thirds() -> None:
    now = [5_000_000]
    leads = Leading("1:a", lambda: now[0])
    assert not leads()
    asked = leads.ask()
    now[0] += 1_000_000  # the answer took its time
    leads.told(asked, leads=True)
    assert leads()
    now[0] = asked + TERM_US * 2 // 3 - 1
    assert leads()
    now[0] += 1
    assert not leads()
    # One that was stopped past its lease and is woken does not lead, whatever it was told before.
    asked = leads.ask()
    now[0] += TERM_US
    leads.told(asked, leads=True)
    assert not leads()


def test_who_is_told_no_stops_at_once_and_terms_are_counted() -> None:
    leads = Leading("1:a", lambda: 1)
    leads.told(0, leads=True)
    leads.told(0, leads=True)
    assert (leads(), leads.terms) == (True, 1)
    leads.told(0, leads=False)
    assert not leads()
    leads.told(0, leads=True)
    assert (leads(), leads.terms) == (True, 2)
