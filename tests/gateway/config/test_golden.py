"""Golden pairs: a configuration above the line, every problem below it."""

from pathlib import Path

import pytest

from gateway import config

GOLDEN = Path(__file__).parents[2] / "golden" / "config"
LINE = "----\n"


@pytest.mark.parametrize("name", sorted(path.stem for path in GOLDEN.glob("*.txt")))
def test_problems(name: str, tmp_path: Path) -> None:
    document, line, expected = (GOLDEN / f"{name}.txt").read_text(encoding="utf-8").partition(LINE)
    assert line, "a golden file has a line of four dashes"
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "spam.txt").write_text("spam\n", encoding="utf-8")
    (tmp_path / "client.pem").write_text("", encoding="utf-8")
    (tmp_path / "jwks.json").write_text("{}", encoding="utf-8")
    file = tmp_path / "tidegate.toml"
    file.write_text(document, encoding="utf-8")
    _, problems = config.check(file, environ={})
    told = "".join(f"{problem}\n" for problem in problems).replace(f"{tmp_path}/", "")
    assert told == expected


def test_there_are_good_and_bad_ones() -> None:
    told = {path.stem: path.read_text(encoding="utf-8").partition(LINE)[2] for path in GOLDEN.glob("*.txt")}
    assert not told["good"]
    assert all(expected for name, expected in told.items() if name != "good")
