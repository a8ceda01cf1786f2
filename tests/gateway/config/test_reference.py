"""The documentation is tested: every key is in the example and in the reference, and neither knows another."""

import re
import tomllib
from pathlib import Path
from typing import Any

from filters.checks import CHECKS
from gateway import config
from gateway.config.reference import keys, reference

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "examples" / "tidegate.toml"

KNOWN = {path for path, _ in keys()}
FREE = {path for path, field in keys() if "dict[" in str(field.annotation)}  # tables whose keys are the operator's


def uncommented() -> dict[str, Any]:
    """The example with every ``#key = value`` in force."""
    text = EXAMPLE.read_text(encoding="utf-8")
    return tomllib.loads(re.sub(r"^#(?=\[|[a-z_]+ = )", "", text, flags=re.MULTILINE))


def paths(value: Any, path: str = "") -> set[str]:
    """The keys of a document, with NAME for names of one's own."""
    if isinstance(value, list):
        return {below for one in value for below in paths(one, f"{path}[]")}
    if not isinstance(value, dict):
        return set()
    if path in FREE:
        named = {below for one in value.values() for below in paths(one, f"{path}.NAME")}
        return {below for below in named if below in KNOWN}
    here = {f"{path}.{key}" if path else key for key in value}
    return here | {below for key, one in value.items() for below in paths(one, f"{path}.{key}" if path else key)}


def test_the_example_shows_every_key_and_no_other() -> None:
    """The options of a check are shown by its own sample, which the reference prints."""
    samples = [tomllib.loads(f"rule = {check.sample}")["rule"] for check in CHECKS.values()]
    shown = {f"policies.NAME.rules[].{key}" for sample in samples for key in sample}
    assert paths(uncommented()) | shown == KNOWN


def test_the_example_is_well_and_doubtless() -> None:
    told, problems = config.check(EXAMPLE, environ={})
    assert problems == []
    assert told is not None
    assert config.warnings(told) == []


def test_what_the_example_calls_a_default_is_the_default() -> None:
    """Scalars of the sections that are all defaults; routes, policies and lists are examples."""
    document = tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))
    chosen = {"server.unmatched_upstream", "server.trusted_proxies", "control.allow", "server.listen", "control.listen"}
    fields = dict(keys())
    for section in ("server", "sentences", "state", "journal", "credit", "mirror", "control", "metrics", "logs"):
        for key, value in document[section].items():
            if not isinstance(value, dict) and f"{section}.{key}" not in chosen:
                default = fields[f"{section}.{key}"].get_default()
                assert value == (list(default) if isinstance(default, tuple) else default), f"{section}.{key}"


def test_every_key_has_a_meaning() -> None:
    assert [path for path, field in keys() if not field.description] == []


def test_every_key_has_a_row() -> None:
    rows = set(re.findall(r"^\| `([^`]+)` \|", reference(), flags=re.MULTILINE))
    tops = set(config.Config.model_fields)
    for path in KNOWN - tops:
        assert any(path.endswith(row) for row in rows), path


def test_every_key_is_read_by_something() -> None:
    """A key that nothing reads promises what nobody does."""
    code = "".join(
        path.read_text(encoding="utf-8")
        for folder in ("gateway", "filters", "loadtest")
        for path in (ROOT / folder).rglob("*.py")
    )
    read = set(re.findall(r"\.([a-z0-9_]+)\b", code))
    assert {path for path in KNOWN if path.rpartition(".")[2] not in read} == set()
