"""A message holds nothing back: when its outcome is recorded, everything made for it is freed without the collector."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from filters.model.message import Message
from gateway.carriers.requests import Comment
from gateway.http.server.exchange import Exchange
from gateway.http.upstream.upstream_call import UpstreamCall
from gateway.judging.pipeline import Passage
from rig.worker import TOGETHER, Course

MADE = (Message, Comment, UpstreamCall, Exchange, Passage)


@pytest.fixture
def uncollected() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("uncollected")
async def test_no_message_waits_for_the_collector(tmp_path: Path) -> None:
    course = Course()
    await course.build(tmp_path, 100)
    others = {id(made) for made in gc.get_objects() if isinstance(made, MADE)}  # constants of other tests
    for clients, requests in list(course.drawn()):
        await course.turn(clients, requests)
    assert [transport.writes for transport in course.transports] == [1] * len(course.transports)
    assert course.journal.counters.records == 2 * TOGETHER * 4
    assert [type(left).__name__ for left in gc.get_objects() if isinstance(left, MADE) and id(left) not in others] == []
    course.journal.close()
