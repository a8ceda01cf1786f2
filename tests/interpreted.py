"""Tests that look inside the hot path, and so cannot run where it is compiled: by file or test, with the reason.

Machine code takes what the annotations say and nothing else, and nobody can replace a part of it. Each of these tests
runs in pure Python, from the same source; what they hold is held from outside, compiled too, by ``tests/e2e``.
"""

from __future__ import annotations

from typing import Final

import pytest

from gateway.common import compiled

STAND_IN: Final = "gives a stand-in where machine code takes the class itself"
NOTHING: Final = "gives None where machine code takes an object that the test does not need"
SPY: Final = "replaces a method to count its calls"

ONLY: Final = {
    "tests/gateway/http/server/test_answers.py": STAND_IN,
    "tests/gateway/http/server/test_outcomes.py": STAND_IN,
    "tests/gateway/http/server/test_refusals.py": STAND_IN,
    "tests/gateway/http/server/test_server.py": STAND_IN,
    "tests/gateway/http/server/test_server_protocol.py": STAND_IN,
    "tests/gateway/http/server/test_streaming.py": STAND_IN,
    "tests/gateway/http/server/test_timeouts.py": STAND_IN,
    "tests/gateway/http/server/test_told.py": STAND_IN,
    "tests/gateway/http/server/test_turns.py::test_a_download_is_read_by_turns": STAND_IN,
    "tests/gateway/http/server/test_turns.py::test_an_answer_is_charged_to_whom_it_is_for": STAND_IN,
    "tests/gateway/http/server/test_turns.py::test_a_stream_that_waits_for_its_upstream_is_not_read": STAND_IN,
    "tests/gateway/http/server/test_turns.py::test_what_was_held_back_is_not_forgotten_amid_a_request": STAND_IN,
    "tests/gateway/http/server/test_upgrades.py": STAND_IN,
    "tests/gateway/carriers/test_link.py": STAND_IN,
    "tests/gateway/carriers/test_session.py": STAND_IN,
    "tests/gateway/carriers/test_session_bounds.py": STAND_IN,
    "tests/gateway/carriers/test_session_delays.py": STAND_IN,
    "tests/gateway/carriers/test_session_holds.py": STAND_IN,
    "tests/gateway/carriers/test_session_mutes.py": STAND_IN,
    "tests/gateway/carriers/test_session_notices.py": STAND_IN,
    "tests/gateway/carriers/test_session_packets.py": STAND_IN,
    "tests/gateway/carriers/test_session_turns.py": STAND_IN,
    "tests/gateway/carriers/test_session_senders.py": STAND_IN,
    "tests/gateway/senders/test_directory.py": STAND_IN,
    "tests/gateway/senders/test_whoami.py": STAND_IN,
    "tests/gateway/surfaces/sources/test_playback.py": NOTHING,
    "tests/gateway/surfaces/sources/test_vouched.py": NOTHING,
    "tests/gateway/judging/test_relayed_deletion.py": NOTHING,
    "tests/gateway/judging/test_hold.py::test_a_fault_behind_the_parking_is_answered": "replaces a function",
    "tests/gateway/judging/test_incidents.py::test_a_fault_of_ours_is_answered": "replaces a function",
    "tests/gateway/carriers/test_requests.py": STAND_IN,
    "tests/gateway/worker/test_app.py::test_a_first_snapshot_that_says_nothing_says_that_there_is_nothing": STAND_IN,
    "tests/gateway/worker/test_app.py::test_a_reload_opens_the_access_log_anew_and_loses_no_line": STAND_IN,
    "tests/gateway/judging/test_refused_copies.py::test_the_scans_own_fingerprint_is_the_same_and_made_once": NOTHING,
    "tests/filters/reading/test_cost.py": "counts the lines that run",
    "tests/filters/text/test_folding.py::test_the_map_is_made_only_when_it_is_asked_for": SPY,
    "tests/filters/reading/test_keywords.py::test_lists_of_equal_switches_share_one_fold": SPY,
    "tests/gateway/journal/write/test_writer.py::test_a_fault_of_the_upkeep_takes_nobody_along": "replaces a method",
    "tests/gateway/state/hot/test_cluster.py::test_a_slot_that_moves_takes_nobodys_facts_with_it": "replaces a method",
    "tests/gateway/http/wire/test_head.py::test_the_quick_and_the_careful_path_read_alike": "reads __slots__",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip them where the hot path is compiled."""
    if not compiled.built():
        return
    for item in items:
        file, _, name = item.nodeid.partition("::")
        reason = ONLY.get(file) or ONLY.get(f"{file}::{name.partition('[')[0]}")
        if reason:
            item.add_marker(pytest.mark.skip(reason=f"compiled: {reason}"))
