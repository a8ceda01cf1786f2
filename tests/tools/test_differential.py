"""The harness of ``make differential`` itself; it runs against platforms, so not here."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.differential import corpus
from tools.differential.gate import Reading, differs
from tools.differential.places import NAMES, program

SENT = corpus.Sent("both", (), "", b"content=hello")


@pytest.mark.parametrize(
    ("judged", "views", "wrong"),
    [
        (("hello",), {"form": ["hello"], "query": []}, ""),
        (("hello",), {"form": ["hello"], "query": ["BAD"]}, "query"),
        (("hello",), {"form": ["hello", "BAD"]}, "form"),
        (("hello",), {"form": [""]}, ""),
        (("hello", "second"), {"json": ["second"]}, ""),
        ((), {"json": ["hello"]}, "json"),
    ],
)
def test_a_text_that_was_not_judged_is_a_divergence(
    judged: tuple[str, ...], views: dict[str, list[str]], wrong: str
) -> None:
    assert differs(Reading("node", SENT, 201, True, judged, views)) == wrong


def test_what_the_gate_refused_is_none() -> None:
    assert differs(Reading("node", SENT, 400, False, (), {})) == ""


def test_the_corpus_is_the_same_each_time_and_bounded() -> None:
    seeds = list(corpus.seeds())
    assert {sent.route for sent in seeds} == set(corpus.FIELD)
    assert len(seeds) < 20_000
    first, second = list(corpus.mutated(50, 1)), list(corpus.mutated(50, 1))
    assert first == second != list(corpus.mutated(50, 2))
    assert all(len(sent.body) <= 4000 for sent in first)


@pytest.mark.parametrize("name", NAMES)
def test_each_platform_is_started_with_its_port(name: str) -> None:
    assert any("4242" in word for word in program(name, Path("/nowhere"), 4242))
