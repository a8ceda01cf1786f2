"""The commands: what they print, and how they end."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from gateway.commands.words import filter_, visible, words
from gateway.common.folders import Folders
from gateway.generation.generation import compile_here
from gateway.words.specs import ListSpec

app = typer.Typer()
app.add_typer(words, name="words")
app.add_typer(filter_, name="filter")

Listed = Callable[..., ListSpec]


def run(*arguments: str, given: str | None = None) -> tuple[int, str]:
    done = CliRunner().invoke(app, list(arguments), input=given, env={"COLUMNS": "200", "TERM": "dumb"})
    return done.exit_code, done.output


def test_check(listed: Listed) -> None:
    good, bad = listed("good", "傻瓜\n傻.瓜\n").path, listed("bad", "@nonsense\n★\n").path
    code, output = run("words", "check", good)
    assert code == 0
    assert f"{good}: 2 entries" in output
    assert f"note: {good}:2: folds to the same as line 1" in output
    code, output = run("words", "check", good, bad)
    assert code == 1
    assert f"{bad}:1: unknown directive @nonsense" in output
    code, output = run("words", "check", "--json", bad)
    assert code == 1
    assert json.loads(output)["faults"][0]["line"] == 1
    assert run("words", "check", listed("star", "★\n").path)[0] == 1


def test_check_tells_what_is_lost_excused_and_changed(listed: Listed, tmp_path: Path) -> None:
    path = listed("spam", "C#\n网上赌博\n@allow 反网上赌博\n@allow 别的\n").path
    code, output = run("words", "check", path)
    assert code == 0
    assert f"{path}:3: @allow 反网上赌博 excuses 网上赌博" in output
    assert f"note: {path}:4: @allow 别的 excuses no word" in output
    assert f"note: {path}:1: is found only where its signs stand too" in output
    config = tmp_path / "tidegate.toml"
    config.write_text(f'[upstreams.p]\nservers = ["http://127.0.0.1:9"]\n[lists.spam]\npath = "{path}"\n')
    folders = Folders(tmp_path / "data")
    folders.make()
    folders.make_current(compile_here(config, folders))
    Path(path).write_text("网上赌博\n刷单返利\n", encoding="utf-8")
    code, output = run("words", "check", path, "--data-dir", str(folders.root))
    assert code == 0
    assert "2 entries (1 added, 1 removed)" in output
    Path(path).write_text("", encoding="utf-8")
    code, output = run("words", "check", path, "--data-dir", str(folders.root))
    assert code == 1
    assert "holds no word, 2 before" in output
    code, output = run("words", "check", "--json", listed("other", "@allow a\nb\n").path)
    (told,) = json.loads(output)["lists"]
    assert (told["words"], told["allowances"]) == (1, [{"line": 1, "phrase": "a", "excuses": []}])


def test_compile_refuses_a_half_copied_list(listed: Listed, tmp_path: Path) -> None:
    path, out = listed("abuse", "傻瓜\nidiot\nmoron\n").path, tmp_path / "out"
    assert run("words", "compile", "--out", str(out), path)[0] == 0
    listed("abuse", "傻瓜\n")
    code, output = run("words", "compile", "--out", str(out), path)
    assert code == 1
    assert "holds 1 word, 3 before" in output
    code, output = run("words", "compile", "--out", str(out), path, "--may-shrink", "abuse")
    assert code == 0
    assert "0 added, 2 removed" in output


def test_usage(tmp_path: Path, listed: Listed) -> None:
    path = listed("abuse", "傻瓜\n").path
    code, told = run("words", "compile", "-o", str(tmp_path / "out"), path, "--may-shrink", "abus")
    assert (code, "did you mean “abuse”?" in told) == (2, True)
    code, told = run("words", "compile", "-o", path, path)
    assert (code, f"--out: {path} cannot be written" in told) == (2, True)
    code, told = run("words", "check", path, "--data-dir", str(tmp_path / "gone"))
    assert (code, "is not a folder" in told) == (2, True)
    assert run("words", "check")[0] == 2
    assert run("words", "check", "--config", str(tmp_path / "gone.toml"))[0] == 2
    assert run("filter", "explain")[0] == 2


def test_compile(listed: Listed, tmp_path: Path) -> None:
    path, out = listed("abuse", "傻瓜\n").path, tmp_path / "out"
    code, output = run("words", "compile", "--out", str(out), path)
    assert code == 0
    assert "abuse: 1 entry" in output
    code, output = run("words", "compile", "--out", str(out), "--json", path)
    assert json.loads(output)["lists"][0]["reused"] is True
    assert run("words", "compile", "--out", str(out), listed("bad", "@x\n").path)[0] == 1


def test_explain(listed: Listed) -> None:
    path = listed("gambling", "网上赌博\n@allow 反网上赌博\n").path
    code, output = run("filter", "explain", "反网上赌博，網\u200b上-賭博", "--list", path)
    assert code == 0
    assert "網<200B>上-賭博" in output
    assert "反网上赌博网上赌博" in output
    assert "allow phrase 反网上赌博 at 0-5" in output
    assert "6-12" in output
    assert "nothing found" in run("filter", "explain", "好", "-l", path)[1]
    code, output = run("filter", "explain", "-", "--list", path, "--json", given="网上赌博\n")
    assert json.loads(output)["hits"][0]["spans"] == [[0, 4]]
    assert run("filter", "explain", "x", "--list", listed("bad", "@x\n").path)[0] == 1


def test_explain_many_texts(listed: Listed) -> None:
    path = listed("mixed", "idiot\n口交\n网上赌博\n代开 & 发票 & !咨询\n@allow 反网上赌博\n").path
    texts = [
        "an idi\u200bOT 😀 ï.d.i.o.t",
        "id.iot idiots",
        "门口，交通",
        "反网上赌博",
        "代开",
        "代开发票，咨询",
        "",
        "網上-賭博\r",
    ]
    code, output = run("filter", "explain", "--json", "--list", path, given="\n".join(texts))
    assert code == 0
    told = [json.loads(line) for line in output.splitlines()]
    assert [one["text"] for one in told] == [text.rstrip("\r") for text in texts]
    assert told[0]["hits"] == [
        {
            "list": "mixed",
            "word": "idiot",
            "spans": [[3, 9], [12, 21]],
            "disguises": ["marks", "case", "invisible", "separators"],
        }
    ]
    assert [[each["reason"] for each in one["dropped"]] for one in told[1:7]] == [
        ["one-sign", "inside-word"], ["clause"], ["allowed"], ["part-missing"], ["refused-part", "refused-part"], []
    ]  # fmt: skip
    assert told[2]["dropped"][0] == {
        "list": "mixed", "word": "口交", "spans": [[1, 4]], "reason": "clause", "why": "a clause ends inside"
    }  # fmt: skip
    assert told[7]["hits"][0]["disguises"] == ["traditional", "separators"]
    assert "the inside of a longer word (inside-word)" in run("filter", "explain", "idiots", "-l", path)[1]


def test_explain_tells_lines_that_it_cannot_read(listed: Listed) -> None:
    path = listed("abuse", "傻瓜\n").path
    given = b"a" * 70_000 + b"\n\xff\n" + "傻瓜\n".encode() + "好".encode() * 5_000 + b"\n" + b"b" * 65_536
    done = CliRunner().invoke(app, ["filter", "explain", "--json", "-l", path], input=given)
    assert done.exit_code == 1
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one.get("error") for one in told] == ["line.too_long", "line.not_utf8", None, None, None]
    assert told[2]["hits"][0]["spans"] == [[0, 2]]
    assert told[3]["failed"] == {"abuse": "fold.bound"}
    assert run("filter", "explain", "--json", "--list", listed("bad", "@x\n").path, given="x\n")[0] == 1


def test_explain_with_a_configuration(listed: Listed, tmp_path: Path) -> None:
    listed("spam", "代开发票\n")
    config = tmp_path / "tidegate.toml"
    config.write_text('[lists.spam]\npath = "spam.txt"\ncategory = "junk"\nfold = { separators = false }\n')
    code, output = run("filter", "explain", "代開發票 代.开发票", "--config", str(config), "--json")
    assert code == 0
    (hit,) = json.loads(output[output.index("{") :])["hits"]
    assert (hit["category"], hit["covered"]) == ("junk", ["代開發票"])


DEMO = Path(__file__).parents[3] / "gateway" / "demo" / "tidegate.toml"


@pytest.mark.parametrize(
    ("text", "verdict", "published"),
    [("网上赌博 idiot", "reject", None), ("you idiot", "pass", "you *****"), ("反网上赌博", "pass", None)],
)
def test_explain_tells_the_verdict_of_each_policy(text: str, verdict: str, published: str | None) -> None:
    code, output = run("filter", "explain", text, "--config", str(DEMO), "--json")
    assert code == 0
    judged = {one["policy"]: one for one in json.loads(output)["verdicts"]}
    assert (judged["comment"]["verdict"], judged["comment"]["text"]) == (verdict, published)
    assert all(finding["ground"] for finding in judged["comment"]["findings"])


@pytest.mark.parametrize(("text", "shown"), [("a\x1b[31m", "a<001B>[31m"), ("好😀", "好😀"), ("\u202e", "<202E>")])
def test_a_terminal_is_never_obeyed(text: str, shown: str) -> None:
    assert visible(text) == shown
