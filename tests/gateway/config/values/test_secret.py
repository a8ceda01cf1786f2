from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.config.values.secret import secret


def info(base: Path, **environ: str) -> Any:
    return SimpleNamespace(context={"base": base, "environ": environ})


def test_named_or_written(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from a file\n", encoding="utf-8")
    assert secret("file:key", info(tmp_path)).get_secret_value() == "from a file"
    assert secret("env:KEY", info(tmp_path, KEY="from outside")).get_secret_value() == "from outside"
    assert secret("as it is: written", info(tmp_path)).get_secret_value() == "as it is: written"


def test_never_shown(tmp_path: Path) -> None:
    assert "hunter2" not in repr(secret("hunter2", info(tmp_path)))


@pytest.mark.parametrize("value", ["env:KEY", "file:none", "file:.", 7, None])
def test_what_cannot_be_had_is_refused(value: Any, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"env:NAME|file:/path"):
        secret(value, info(tmp_path))


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match="not UTF-8"):
        secret("file:key", info(tmp_path))
