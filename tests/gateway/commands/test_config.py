import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.commands.config import app

DEMO = Path(__file__).parents[3] / "gateway" / "demo" / "tidegate.toml"

Written = Callable[..., Path]
run = CliRunner().invoke


def test_a_good_file(written: Written) -> None:
    told = run(app, ["check", str(written())])
    assert told.exit_code == 0
    assert told.stdout.endswith("ok\n")
    assert "1 judged, 0 relayed" in told.stdout


def test_doubts_are_told_and_are_no_failure(written: Written) -> None:
    told = run(app, ["check", str(written("https://platform.example/appeal?message={id}", "off"))])
    assert told.exit_code == 0
    assert "warning: policies.comment.appeal" in told.stderr


def test_doubts_are_told_in_chinese_where_that_is_asked_for(written: Written) -> None:
    bad = str(written("https://platform.example/appeal?message={id}", "off"))
    told = run(app, ["check", bad, "--lang", "zh"])
    assert told.exit_code == 0
    assert "警告：policies.comment.appeal：为 off" in told.stderr
    assert "warning" not in told.stderr
    assert run(app, ["check", bad, "--lang", "fr"]).exit_code == 2


def test_a_bad_file(written: Written) -> None:
    told = run(app, ["check", str(written('policy = "comment"', 'policy = "coment"', more="[sever]\n"))])
    assert told.exit_code == 1
    assert "did you mean “comment”" in told.stderr
    assert "2 problems" in told.stderr


def test_json(written: Written) -> None:
    told = run(app, ["check", "--json", str(written())])
    doc = json.loads(told.stdout)
    assert (doc["problems"], doc["warnings"], len(doc["unjudged"])) == ([], [], 1)
    told = run(app, ["check", "--json", str(written('policy = "comment"', 'policy = "coment"'))])
    assert told.exit_code == 1
    assert [one["key"] for one in json.loads(told.stdout)["problems"]] == ["routes[comments].policy"]


def test_the_demo_is_well_and_doubtless() -> None:
    told = run(app, ["check", "--json", str(DEMO)])
    doc = json.loads(told.stdout)
    assert (doc["problems"], doc["warnings"]) == ([], [])
    assert "DELETE /api/articles/{room}/comments/{id}: relayed by route article-comment-deletions" in doc["unjudged"]
    assert told.exit_code == 0


def test_usage_errors_are_two() -> None:
    assert run(app, ["check"]).exit_code == 2


def test_schema_and_reference() -> None:
    assert json.loads(run(app, ["schema"]).stdout)["type"] == "object"
    assert run(app, ["reference"]).stdout.startswith("<!-- reference")


def test_a_file_can_be_checked_where_its_secrets_are_not(written, monkeypatch: pytest.MonkeyPatch) -> None:
    file = str(written(more='[state]\nurl = "env:NOT_HERE"\npassword = "file:none"\n[server]\nnode = "env:NOR_THIS"\n'))
    assert CliRunner().invoke(app, ["check", file]).exit_code == 1
    done = CliRunner().invoke(app, ["check", file, "--no-secrets"])
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (0, "ok")
    assert CliRunner().invoke(app, ["check", file, "--no-secrets", "--obligations"]).exit_code == 2
    monkeypatch.setenv("TIDEGATE_CONFIG", file)
    assert CliRunner().invoke(app, ["check", "--no-secrets"]).exit_code == 0
    wrong = written('surface = "comment"', 'surface = "coment"', more='[state]\nurl = "env:NOT_HERE"\n')
    told = json.loads(CliRunner().invoke(app, ["check", "-c", str(wrong), "--no-secrets", "--json"]).stdout)["problems"]
    assert [(one["line"], one["key"]) for one in told] == [(18, "routes[comments].surface")]


def test_a_required_value_that_is_not_here_is_no_problem_without_secrets(written) -> None:
    file = written('servers = ["http://127.0.0.1:9000"]', 'servers = ["env:NOT_HERE"]')
    done = CliRunner().invoke(app, ["check", str(file), "--no-secrets"])
    assert (done.exit_code, "as far as it can be said" in done.stdout) == (0, True), done.output


def test_what_only_building_shows_has_its_line_too(written: Written) -> None:
    file = written('text = "json:/content"', 'text = "json:/content"\nplayback = "json:/at"')
    told = json.loads(run(app, ["check", str(file), "--json"]).stdout)["problems"]
    assert [(one["line"], one["key"]) for one in told] == [(15, "routes[comments]")]
    assert "a comment has none" in told[0]["message"]


def test_categories_of_the_desk_that_no_list_has_are_doubted(written: Written) -> None:
    desk = '[desk]\nsecond = ["spam"]\ngrave = ["gore"]\n'
    desk += '[desk.on_call]\nurl = "https://p.example/x"\ncategories = ["spm"]\n'
    told = run(app, ["check", "--lang", "en", str(written(more=desk))])
    assert told.exit_code == 0
    assert "desk.grave: “gore” is no category of a list" in told.stderr
    assert "desk.on_call.categories: “spm” is no category of a list: did you mean “spam”?" in told.stderr
    assert "desk.second" not in told.stderr
