"""The folder of a run: claimed before, and read again only where it is whole."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

FORMAT = 1
RESULT = "result.json"
PAGE = "report.html"
KINDS = ("run", "knee")
NEEDED = {"run": ("state", "sentence", "asked", "machine", "objectives", "figures", "gateway"),
          "knee": ("state", "sentence", "asked", "machine", "knee", "steps")}  # fmt: skip


class FolderError(Exception):
    """The folder cannot be written to, or holds no whole result; says which and why."""


def claim(out: Path) -> None:
    """Make the folder. Raises ``FolderError`` where it holds a run already, whose files would be mixed up."""
    if (out / RESULT).exists():
        raise FolderError(f"{out} holds the result of another run: name another folder with --out")
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / ".writable").touch()
        (out / ".writable").unlink()
    except OSError as error:
        raise FolderError(f"{out} cannot be written to: {error.strerror}") from None


def write(out: Path, kind: str, result: dict[str, Any]) -> None:
    """The result, last of all files and whole or not at all."""
    text = json.dumps(_plain({"format": FORMAT, "kind": kind, **result}), indent=1, ensure_ascii=False)
    beside = out / (RESULT + ".new")
    beside.write_text(text, encoding="utf-8")
    beside.replace(out / RESULT)


def read(folder: Path) -> dict[str, Any]:
    """A whole result. Raises ``FolderError``."""
    if not folder.is_dir():
        raise FolderError(f"{folder} is no folder" if folder.exists() else f"{folder} does not exist")
    path = folder / RESULT
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        begun = any(folder.glob("*.jsonl")) or any(folder.glob("step-*"))
        why = "the run did not end, or was broken off" if begun else "this is not the folder of a load test"
        raise FolderError(f"{folder} has no {RESULT}: {why}") from None
    except (OSError, ValueError):
        raise FolderError(f"{path} is not whole: it cannot be read as JSON") from None
    if not isinstance(result, dict) or result.get("kind") not in KINDS:
        raise FolderError(f"{path} is not the result of a load test")
    if result.get("format") != FORMAT:
        raise FolderError(f"{path} has format {result.get('format')}, this version reads format {FORMAT}")
    missing = [name for name in NEEDED[result["kind"]] if not result.get(name)]
    if missing:
        raise FolderError(f"{path} is not whole: {', '.join(missing)} missing")
    return result


def _plain(value: Any) -> Any:
    """What JSON can say: named tuples as objects, NaN as null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if hasattr(value, "_asdict"):
        return _plain(value._asdict())
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value
