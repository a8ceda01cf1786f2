"""``tidegate journal``, as a person and as a pipe see it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gateway.commands import journal as commands
from gateway.commands import terminal
from gateway.commands.journal import app
from gateway.journal.read import verification
from gateway.journal.read.selection import Selection
from gateway.journal.write.ids import Ids
from gateway.journal.write.record import act, envelope, outcome
from gateway.journal.write.segments import COPIED, segments

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
        (("--route", "comments", "--limit", "2"), ["outcome m0", "outcome m2"]),
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


@pytest.fixture
def for_a_person(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a terminal would show."""
    monkeypatch.setattr(terminal, "for_programs", lambda as_json: as_json)
    monkeypatch.setenv("COLUMNS", "240")


def test_a_table_for_people_lets_no_message_write_on_the_terminal(data: Path, for_a_person: None) -> None:
    shown = run(data, "query", "--id", "m2", "--reveal", "--person", "Li Hua", "--why", "x")
    assert "\x1b[31m" not in shown
    assert "[red]" in shown
    assert "keyword.match (mask)" in shown
    assert commands._text({"key": "k1", "cipher": "abc"}) == "sealed with key k1"


def test_people_see_the_newest_first_and_a_message_with_what_became_of_it(data: Path, for_a_person: None) -> None:
    shown = run(data, "query", "--sender", "alice")
    assert shown.index(" m2 ") < shown.index(" m0 ")
    assert "failed (upstream.timeout)" in shown
    assert "delivered 201" in shown
    assert len(shown.splitlines()) == 4  # two rows below their heading
    done = CliRunner().invoke(app, ["query", "--data-dir", str(data), "--limit", "1"])
    assert " a1 " in done.stdout
    assert "are left out" in done.stderr


@pytest.mark.parametrize("width", [20, 80, 200])
async def test_ids_are_whole_at_any_width(
    make_writer, root: Path, for_a_person: None, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    journal = make_writer()
    name = Ids(1, 1)()
    record = {"kind": "judged", "id": name, "route": "comments", "room": "r", "sender": "s", "verdict": "pass"}
    journal.append(record | {"time": NOW, "findings": []})
    journal.close()
    monkeypatch.setenv("COLUMNS", str(width))
    assert name in run(root.parent, "query")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--verdict", "passs"), "did you mean “pass”?"),
        (("--verdict", "?"), "known are hold, label, mask, pass, reject"),
        (("--reason", "keyword.mach"), "did you mean “keyword.match”?"),
        (("--reason", "nothing.like.it"), "no record has"),
        (("--follow", "--until", "1h"), "--until does not go with --follow"),
        (("--since", "1h", "--until", "2h"), "is not after --since"),
        (("--person", "li"), "go with --reveal"),
        (("--since", "٣m"), "neither like 90m"),
        (("--limit", "0"), "greater than or equal to 1"),
    ],
)
def test_values_that_do_not_exist_are_refused(data: Path, arguments: tuple[str, ...], told: str) -> None:
    done = CliRunner().invoke(app, ["query", "--data-dir", str(data), *arguments])
    assert (done.exit_code, told in " ".join(done.stderr.replace("│", " ").split())) == (2, True), done.stderr


def test_a_route_that_nobody_has_is_refused_and_one_without_messages_is_not(data: Path) -> None:
    folder = data / "generations" / "1"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps({"base": str(data)}))
    (folder / "tidegate.toml").write_text('[[routes]]\nname = "comments"\n[[routes]]\nname = "live"\n')
    (data / "generations" / "current").write_text("1")
    where = ["query", "--data-dir", str(data), "--route"]
    wrong = CliRunner().invoke(app, [*where, "coments"])
    assert (wrong.exit_code, "did you mean “comments”?" in wrong.stderr) == (2, True)
    none = CliRunner().invoke(app, [*where, "live"])
    assert (none.exit_code, none.stderr) == (0, "no such record\n")


class Interrupted:
    """Stands for time: after so many pauses a person interrupts."""

    def __init__(self, between: Callable[[int], None], after: int) -> None:
        self.pauses = 0
        self.between = between
        self.after = after

    def sleep(self, seconds: float) -> None:
        self.pauses += 1
        if self.pauses > self.after:
            raise KeyboardInterrupt
        self.between(self.pauses)

    def monotonic(self) -> float:
        return self.pauses * 10.0

    def time_ns(self) -> int:
        return time.time_ns()


async def test_what_is_new_is_followed(
    data: Path, make_writer, monkeypatch: pytest.MonkeyPatch, for_a_person: None
) -> None:
    other = make_writer(worker=2)

    def between(pause: int) -> None:
        if pause == 1:
            record = {"kind": "judged", "id": "m9", "route": "comments", "room": "r", "sender": "alice"}
            other.append(record | {"time": NOW, "verdict": "pass", "findings": []})
            other.append(record | {"time": NOW, "id": "m8", "sender": "bob", "verdict": "pass", "findings": []})
            other.append(outcome("m9", "delivered", status=201))
            other.close()  # which writes it

    for as_json in (False, True):
        monkeypatch.setattr(commands, "time", Interrupted(between if not as_json else lambda _: None, 4))
        shown = run(data, "query", "--sender", "alice", "--follow", "--limit", "1", *(["--json"] if as_json else []))
        if as_json:
            assert [json.loads(line)["id"] for line in shown.splitlines()] == ["m2"]  # what was there
        else:
            assert shown.count(" m9 ") == 1
            assert "delivered 201" in shown
            assert " m8 " not in shown
            assert " m2 " in shown  # the newest of before
            assert " m0 " not in shown


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


def test_verify_says_of_copies_what_is_missing(data: Path, root: Path) -> None:
    (root / "n1").rename(root / "node-2")
    (root / "node-2" / COPIED).touch()
    assert "node-2: a copy, and nothing was heard of the node yet" in run(data, "verify")
    for complete, told in (
        (None, "node-2: a copy that was never whole; 9 bytes were missing at 20"),
        ([1_700_000_000_000_000, "b", 1], "node-2: a copy, whole until 2023-11-14 "),
    ):
        heard = {"node": 2, "here": [1_700_000_060_000_000, "b", 2], "there": [1, "c", 3], "behind": 9}
        (root / "node-2" / "heard.json").write_text(json.dumps(heard | {"complete": complete}))
        assert told in run(data, "verify")
    # The end of a copy is told by whoever wrote it, and what lies aside has no beginning.
    path = segments(root / "node-2" / "0")[-1].path
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])
    aside = root / "node-2" / "0~1"
    aside.mkdir()
    (aside / path.name).write_bytes(b"no line")
    found = run(data, "verify")
    assert "0 unclean stops" in found and "0 problems" in found
    assert "node-2/0~1: what the node no longer has" in found


@pytest.mark.parametrize("command", ["query", "verify"])
def test_a_missing_journal_is_a_usage_error(tmp_path: Path, command: str) -> None:
    run(tmp_path / "nowhere", command, code=2)


def test_the_journal_may_be_elsewhere(data: Path, root: Path) -> None:
    assert CliRunner().invoke(app, ["verify", "--journal-dir", str(root)]).exit_code == 0
    # Nothing wrong in a folder of something else would prove nothing.
    wrong = CliRunner().invoke(app, ["verify", "--journal-dir", str(root.parent)])
    assert (wrong.exit_code, "is no journal" in wrong.stderr) == (2, True)
    (root.parent / "empty").mkdir()
    wrong = CliRunner().invoke(app, ["verify", "--journal-dir", str(root.parent / "empty")])
    assert (wrong.exit_code, "is no journal" in wrong.stderr) == (2, True)


def test_moments(monkeypatch) -> None:
    monkeypatch.setattr(commands.time, "time_ns", lambda: NOW * 1000)
    assert commands.moment("90m") == NOW - 90 * 60 * 1_000_000
    assert commands.moment("9" * 30 + "d") == 0  # everything
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


def test_that_a_delay_is_over_goes_along_with_its_message() -> None:
    selection = Selection(sender="alice")
    kinds = ("judged", "onward", "outcome", "onward")
    taken = [
        selection.takes({"kind": kind, "id": "m", "sender": "alice" if kind == "judged" else ""}) for kind in kinds
    ]
    assert taken == [True, True, True, False]
    assert not selection.takes({"kind": "onward", "id": "other"})
