"""``tidegate journal``, as a person and as a pipe see it."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gateway.commands import journal as commands
from gateway.commands.journal import app
from gateway.journal.read import verification
from gateway.journal.read.selection import Selection
from gateway.journal.write.ids import Ids
from gateway.journal.write.record import act, envelope, outcome
from gateway.journal.write.segments import segments

HOUR = 3_600_000_000
NOW = time.time_ns() // 1000 // 1_000_000 * 1_000_000


def at(hours: int) -> str:
    return datetime.fromtimestamp((NOW + hours * HOUR) / 1e6, UTC).isoformat()


@pytest.fixture
async def data(make_writer, root: Path) -> Path:
    """Three messages with outcomes, and an act."""
    journal = make_writer()
    for number, (sender, verdict, effect) in enumerate(
        [("alice", "pass", ""), ("bob", "reject", "reject"), ("alice", "pass", "mask")]
    ):
        finding = {"check": "keywords", "reason": "keyword.match", "effect": effect, "ground": "3"}
        journal.append(
            {
                "kind": "judged",
                "id": f"m{number}",
                "time": NOW + number * HOUR,
                "route": "comments",
                "room": f"r{number}",
                "sender": sender,
                "verdict": verdict,
                "findings": [finding] if effect else [],
                "personal": envelope({"ip": "203.0.113.7"}),
                "content": envelope([f"secret \x1b[31m[red]{number}"]),
            }
        )
    journal.append(outcome("m0", "delivered", status=201))
    journal.append(outcome("m2", "failed", reason="upstream.timeout"))
    journal.append(act("a1", "Li Hua", "flood", "block.add", target={"sender": "bob"}))
    journal.close()
    return root.parent


def run(data: Path, *arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, [arguments[0], "--data-dir", str(data), *arguments[1:]])
    assert result.exit_code == code, result.output
    return result.stdout


def query(data: Path, *arguments: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in run(data, "query", *arguments).splitlines()]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--id", "m0"), ["judged m0", "outcome m0"]),
        (("--id", "a1"), ["act a1"]),
        (("--sender", "alice"), ["judged m0", "judged m2", "outcome m0", "outcome m2"]),
        (("--room", "r1"), ["judged m1"]),
        (("--route", "comments", "--limit", "2"), ["judged m0", "judged m1"]),
        (("--route", "other"), []),
        (("--verdict", "reject"), ["judged m1"]),
        (("--verdict", "mask"), ["judged m2", "outcome m2"]),
        (("--reason", "keyword.match"), ["judged m1", "judged m2", "outcome m2"]),
        (("--reason", "upstream.timeout"), ["outcome m2"]),
        (("--until", at(-1)), []),
        (("--since", at(1), "--until", at(2)), ["judged m1"]),
    ],
)
def test_query(data: Path, arguments: tuple[str, ...], expected: list[str]) -> None:
    assert [f"{record['kind']} {record['id']}" for record in query(data, *arguments)] == expected


def test_texts_and_addresses_are_shown_only_to_a_person_with_a_reason(data: Path, root: Path) -> None:
    """Law 12: reading personal data is an act."""
    assert "secret" not in run(data, "query", "--id", "m0")
    assert "203.0.113.7" not in run(data, "query", "--id", "m0")
    assert "secret" not in run(data, "query", "--reveal", code=2)
    assert "secret" not in run(data, "query", "--reveal", "--person", "Li Hua", code=2)
    shown = query(data, "--id", "m0", "--reveal", "--person", "Li Hua", "--why", "appeal 7")
    assert shown[0]["content"]["plain"][0].startswith("secret")
    assert shown[0]["personal"]["plain"] == {"ip": "203.0.113.7"}
    acts = [record for record in query(data) if record.get("what") == "journal.read"]
    assert [(one["person"], one["reason"], one["target"]) for one in acts] == [("Li Hua", "appeal 7", {"id": "m0"})]
    assert verification.verify(root).problems == []


def test_what_cannot_be_recorded_is_not_shown(data: Path, root: Path) -> None:
    (root / "desk").write_text("in the way")
    assert "secret" not in run(data, "query", "--reveal", "--person", "Li Hua", "--why", "x", code=1)


def test_a_table_for_people_lets_no_message_write_on_the_terminal(data: Path, monkeypatch) -> None:
    rows = query(data, "--id", "m2", "--reveal", "--person", "Li Hua", "--why", "x")
    console = commands.Console(width=200, record=True, force_terminal=True)
    with console.capture() as capture:
        console.print(commands._table(rows, True))
    shown = capture.get()
    assert "\x1b[31m" not in shown
    assert "[red]" in shown
    assert "keyword.match (mask)" in shown
    assert commands._text({"key": "k1", "cipher": "abc"}) == "sealed with key k1"


def test_damage_is_said_and_the_rest_shown(data: Path, root: Path) -> None:
    path = segments(root / "n1" / "0")[0].path
    path.write_bytes(path.read_bytes().replace(b'"room":"r1"', b'"room":"R1"'))
    result = CliRunner().invoke(app, ["query", "--data-dir", str(data)])
    assert result.exit_code == 1
    assert "crc" in result.stderr
    assert '"m2"' in result.stdout


def test_verify_exit_codes(data: Path, root: Path) -> None:
    assert "0 problems" in run(data, "verify")
    path = segments(root / "n1" / "0")[0].path
    path.write_bytes(path.read_bytes().replace(b'"room":"r1"', b'"room":"R1"'))
    assert "crc" in run(data, "verify", code=1)
    problems = [json.loads(line) for line in run(data, "verify", "--json", code=1).splitlines()]
    assert {problem["code"] for problem in problems} == {"crc", "chain"} or problems[0]["code"] == "crc"


@pytest.mark.parametrize("command", ["query", "verify"])
def test_a_missing_journal_is_a_usage_error(tmp_path: Path, command: str) -> None:
    run(tmp_path / "nowhere", command, code=2)


def test_the_journal_may_be_elsewhere(data: Path, root: Path) -> None:
    assert CliRunner().invoke(app, ["verify", "--journal-dir", str(root)]).exit_code == 0


def test_moments(monkeypatch) -> None:
    monkeypatch.setattr(commands.time, "time_ns", lambda: NOW * 1000)
    assert commands.moment("90m") == NOW - 90 * 60 * 1_000_000
    assert commands.moment("1970-01-01T00:00:01+00:00") == 1_000_000
    with pytest.raises(commands.typer.BadParameter):
        commands.moment("yesterday")


def test_the_memory_of_chosen_messages_is_bounded(monkeypatch) -> None:
    monkeypatch.setattr("gateway.journal.read.selection.REMEMBERED", 3)
    selection = Selection(sender="alice")
    ids = [Ids(1, 1)() for _ in range(5)]
    for one in ids:
        assert selection.takes({"kind": "judged", "id": one, "sender": "alice"})
    taken = [selection.takes({"kind": "outcome", "id": one, "state": "delivered"}) for one in ids]
    assert taken == [False, False, True, True, True]
