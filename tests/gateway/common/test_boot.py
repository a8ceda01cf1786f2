"""Which start of the machine it is, and how long ago."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.common import boot


def test_one_start_has_one_name_and_its_clock_runs_on() -> None:
    assert boot.boot_id() == boot.boot_id() != boot.NOBODY
    before = boot.uptime_us()
    assert 0 < before <= boot.uptime_us()


@pytest.mark.parametrize("said", [None, "", "nonsense"])
def test_a_system_that_does_not_say_is_told_from_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str | None
) -> None:
    path = tmp_path / "boot_id"
    if said is not None:
        path.write_text(said)
    monkeypatch.setattr(boot, "_BOOT_ID", path)
    assert boot.boot_id() == boot.NOBODY
