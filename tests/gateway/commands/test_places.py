"""Which configuration and data folder a command means."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer

from gateway.commands import places

BROKEN = '[server]\ndata_dir = "kept"\nworkers = "many"\n[state]\nurl = "env:NOT_SET"\n[journal]\ndir = "records"\n'


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in (places.CONFIG, places.DATA_DIR):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def started(root: Path, text: str, base: Path) -> None:
    folder = root / "generations" / "3"
    folder.mkdir(parents=True)
    (folder / "tidegate.toml").write_text(text)
    (folder / "manifest.json").write_text(json.dumps({"base": str(base)}))
    (root / "generations" / "current").write_text("3")


def test_the_data_folder_is_the_one_named_else_the_configurations_else_the_usual(here: Path) -> None:
    assert places.folders(None, None).root == here / "data"
    (here / "etc").mkdir()
    elsewhere = here / "etc" / "gate.toml"
    elsewhere.write_text(BROKEN)
    assert places.folders(elsewhere, None).root == here / "etc" / "kept"
    assert places.folders(elsewhere, Path("mine")).root == here / "mine"
    (here / "tidegate.toml").write_text(BROKEN)  # what lies here counts where nothing is named
    assert places.folders(None, None).root == here / "kept"
    elsewhere.write_text("[upstreams]\n")
    assert places.folders(elsewhere, None).root == here / "etc" / "data"


@pytest.mark.parametrize(
    "text", ["[server]\ndata_dir = 7\n", '[server]\ndata_dir = "env:WHERE"\n', 'server = "x"\n', "not toml ["]
)
def test_what_cannot_be_read_leniently_is_as_if_it_were_not_written(here: Path, text: str) -> None:
    (here / "tidegate.toml").write_text(text)
    assert places.folders(None, None).root == here / "data"


def test_a_mark_of_byte_order_and_other_bytes_are_no_obstacle(here: Path) -> None:
    (here / "tidegate.toml").write_bytes(b"\xef\xbb\xbf" + BROKEN.encode())
    assert places.folders(None, None).root == here / "kept"
    (here / "tidegate.toml").write_bytes(b"\xff\xfe")
    assert places.folders(None, None).root == here / "data"


def test_the_configuration_is_the_one_named_else_the_one_that_lies_here(here: Path) -> None:
    with pytest.raises(typer.Exit) as ended:
        places.configuration(None)
    assert ended.value.exit_code == places.USAGE
    (here / "tidegate.toml").touch()
    assert places.configuration(None) == Path("tidegate.toml")
    assert places.configuration(Path("other.toml")) == Path("other.toml")


def test_the_journal_is_where_the_configuration_in_force_has_it(here: Path) -> None:
    assert places.journal(None, None, None) == here / "data" / "journal"
    assert places.journal(None, None, Path("j")) == Path("j")
    (here / "tidegate.toml").write_text(BROKEN)
    assert places.journal(None, None, None) == here / "records"
    assert places.journal(None, Path("other"), None) == here / "other" / "journal"  # another node's, perhaps
    started(here / "kept", '[journal]\ndir = "older"\n', here / "etc")
    assert places.journal(None, None, None) == here / "etc" / "older"
    (here / "kept" / "generations" / "3" / "manifest.json").write_text("damaged")
    assert places.in_force(places.folders(None, None)) is None
