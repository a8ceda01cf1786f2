"""One run of Locust as a process: nothing is loaded before it is known what, and nothing is left behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadtest.measuring import load
from loadtest.target.target import Target, TargetError
from tests.loadtest import recorded


def target(node: Path | None = None) -> Target:
    return Target("http://127.0.0.1:1", "", None, False, node)


def test_a_wrong_data_folder_is_told_before_anything_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Locust would go on for as long as it was told to, with nobody to stop it."""
    started: list[object] = []
    monkeypatch.setattr(load.process, "start", lambda *argv, **_: started.append(argv))
    with pytest.raises(TargetError, match="no tidegate runs on this data folder"):
        load.run(recorded.ORDER, target(tmp_path), tmp_path, direct=False, cpus=None, tell=lambda second: None)
    assert started == []


@pytest.mark.parametrize("port", [0, 8089])
def test_locusts_own_pages_start_by_themselves_and_end_with_the_run(tmp_path: Path, port: int) -> None:
    order = recorded.ORDER._replace(processes=2, again=True)
    argv = load._arguments(order, "http://x", tmp_path / "r", tmp_path, True, direct=False, web_port=port)
    assert ("--headless" in argv) is (port == 0)
    shown = ["--autostart", "--autoquit", "1", "--web-host", "127.0.0.1", "--web-port", "8089"]
    assert (" ".join(shown) in " ".join(argv)) is (port == 8089)
    assert argv[argv.index("--processes") + 1] == argv[argv.index("--expect-workers") + 1] == "2"
    assert "--again" in argv
    assert "--again" not in load._arguments(
        recorded.ORDER, "http://x", tmp_path / "r", tmp_path, True, direct=False, web_port=port
    )


def test_a_locust_that_records_nothing_is_told_with_its_last_words(tmp_path: Path) -> None:
    order = recorded.ORDER._replace(suite="no such suite")
    with pytest.raises(load.LoadError, match="invalid choice"):
        load.run(order, target(), tmp_path, direct=False, cpus=None, tell=lambda second: None)
