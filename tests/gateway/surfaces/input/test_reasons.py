"""The table of reasons is complete, and each of its rows is used."""

from __future__ import annotations

import re
from pathlib import Path

import gateway.surfaces
from gateway.surfaces.input.decoded import malformed
from gateway.surfaces.input.reasons import CHALLENGES, REASONS

FOLDER = Path(gateway.surfaces.__file__).parent
SOURCE = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.rglob("*.py") if path.name != "reasons.py"}
ROLES = {f"{role}.{what}" for role in ("sender", "room") for what in ("missing", "twice", "malformed")}


def test_every_reason_that_is_raised_has_a_row() -> None:
    raised = {reason for text in SOURCE.values() for reason in re.findall(r'Refused\("([a-z_.]+)"', text)}
    assert raised - {"absent"} <= REASONS.keys()


def test_every_row_is_raised_somewhere() -> None:
    written = {reason for text in SOURCE.values() for reason in re.findall(r'"([a-z0-9]+\.[a-z0-9_]+)"', text)}
    assert REASONS.keys() - ROLES <= written


def test_statuses() -> None:
    assert {row.status for row in REASONS.values()} <= {400, 401, 403, 413, 415, 503}
    assert {reason for reason, row in REASONS.items() if row.status == 401} == CHALLENGES.keys()


def test_a_refusal_is_what_the_table_says() -> None:
    for reason, row in REASONS.items():
        refusal = malformed(reason)
        assert (refusal.status, refusal.reason) == (row.status, reason)
