"""The folder of a run: what is missing, half written or of another kind is told, never guessed at."""

import json
from pathlib import Path

import pytest

from loadtest.judging import folder
from loadtest.judging.folder import FolderError

WHOLE = {"state": "kept", "sentence": {"en": "a", "zh": "b"}, "asked": {"suite": "x"}, "machine": {"cpu": "y"},
         "objectives": [1], "figures": {"rate": float("nan")}, "gateway": {"seconds": [1]}}  # fmt: skip


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    folder.claim(tmp_path / "a" / "b")
    folder.write(tmp_path / "a" / "b", "run", WHOLE)
    told = folder.read(tmp_path / "a" / "b")
    assert told["figures"] == {"rate": None}
    assert told["sentence"] == WHOLE["sentence"]
    assert [path.name for path in (tmp_path / "a" / "b").iterdir()] == ["result.json"]


def test_a_folder_that_holds_a_run_is_not_written_over(tmp_path: Path) -> None:
    folder.write(tmp_path, "run", WHOLE)
    with pytest.raises(FolderError, match="holds the result of another run"):
        folder.claim(tmp_path)


def test_a_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(FolderError, match="cannot be written to"):
            folder.claim(place)
    with pytest.raises(FolderError, match="is no folder"):
        folder.read(tmp_path / "file")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "not the folder of a load test"),
        ("", "not whole"),
        ('{"format": 1, "kind": "ru', "not whole"),
        ("[]", "not the result of a load test"),
        ('{"format": 1, "kind": "benchmark"}', "not the result of a load test"),
        ('{"format": 7, "kind": "run"}', "has format 7, this version reads format 1"),
        ('{"format": 1, "kind": "run", "state": "kept", "asked": {}}', "sentence, asked, machine, objectives"),
        ('{"format": 1, "kind": "knee"}', "state, sentence, asked, machine, knee, steps missing"),
    ],
)
def test_what_is_not_whole_is_told(tmp_path: Path, content: str | None, told: str) -> None:
    if content is not None:
        (tmp_path / "result.json").write_text(content, encoding="utf-8")
    with pytest.raises(FolderError, match=told):
        folder.read(tmp_path)


def test_a_run_that_was_broken_off_is_told_from_a_wrong_folder(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match="does not exist"):
        folder.read(tmp_path / "nowhere")
    (tmp_path / "gateway.jsonl").write_text("{}\n", encoding="utf-8")
    with pytest.raises(FolderError, match="broken off"):
        folder.read(tmp_path)


def test_numbers_that_json_does_not_know_become_null(tmp_path: Path) -> None:
    folder.write(tmp_path, "run", {**WHOLE, "objectives": ({"bound": float("inf")},)})
    assert json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))["objectives"] == [{"bound": None}]
