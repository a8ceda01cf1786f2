"""What is written from a preset and answers: good for every preset and every answer, and as it was yesterday."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from gateway import config
from gateway.presets import composing, laying, preset
from tools.platforms_page import golden, usual

GOLDEN = Path(__file__).parents[2] / "golden" / "presets"


def written(folder: Path, text: str) -> Path:
    laying.lay_lists(folder)
    path = folder / "tidegate.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", preset.names())
def test_every_preset_is_a_good_configuration_and_its_doubts_are_known(name: str) -> None:
    assert golden(name) == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8"), "run `make reference`, and read it"


def test_no_golden_file_is_left_of_a_preset_that_is_gone() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == set(preset.names())


@pytest.mark.parametrize(("name", "seconds"), [("synapse", 120), ("isso", 30)])
def test_a_platform_whose_clients_wait_for_news_has_time_to_answer(name: str, seconds: int, tmp_path: Path) -> None:
    """A /sync of Matrix waits 30 seconds by itself: by the usual bound the gateway would often be first, with a 504."""
    one = preset.load(name)
    read = config.load(written(tmp_path, composing.composed(one, usual(one))))
    assert read.upstreams["platform"].answer_timeout == seconds


@pytest.mark.parametrize("name", preset.names())
def test_every_answer_arrives(name: str, tmp_path: Path) -> None:
    one = preset.load(name)
    answers = replace(
        usual(one),
        address="http://10.0.0.7:9000",
        listen="0.0.0.0:8099",
        control="127.0.0.1:8098",
        fronts=("10.0.0.0/8",),
        site="https://blog.test",
        under="/there",
        appeal="https://blog.test/appeal?{id}",
        language="zh",
    )
    read = config.load(written(tmp_path, composing.composed(one, answers)))
    assert read.upstreams["platform"].servers[0].url == "http://10.0.0.7:9000"
    assert [address.address for address in read.server.public] == ["0.0.0.0:8099"]
    assert read.control.listen == "127.0.0.1:8098"
    assert [str(peer) for peer in read.server.trusted_proxies] == ["10.0.0.0/8"]
    assert read.server.unmatched == one.unmatched
    assert read.sentences.language == "zh"
    assert {policy.appeal for policy in read.policies.values()} == {"https://blog.test/appeal?{id}"}
    assert all(route.template.address.startswith("/there/") for route in read.routes)
    assert all(route.whoami is None or " /there/" in route.whoami.ask for route in read.routes)
    assert all(" /there/" in seen for route in read.routes if route.whoami for seen in route.whoami.logout)
    assert all(route.page.startswith("/there/") for route in read.routes if route.page)
    assert all(route.takedown is None or " /there/" in route.takedown.match for route in read.routes)
    text = composing.composed(one, answers)
    assert preset.SITE not in text
    assert text.count("https://blog.test") == one.body.count(preset.SITE) + len(one.policies)


def test_the_gateway_does_not_want_the_platforms_port() -> None:
    assert composing.listen_for("http://127.0.0.1:8080") != composing.LISTEN
    assert composing.listen_for("http://127.0.0.1:9000") == composing.LISTEN


def test_lists_have_names_that_a_configuration_takes() -> None:
    answers = replace(
        usual(preset.load("plain")),
        refused=("a/my words.txt", "b/my words.txt", "词表.txt", '"quoted".txt'),
        masked=("c/my-words.txt",),
    )
    document = tomllib.loads(composing.composed(preset.load("plain"), answers))
    assert list(document["lists"]) == ["my-words", "my-words-2", "list", "quoted", "my-words-3"]
    assert [one["path"] for one in document["lists"].values()] == [*answers.refused, *answers.masked]
    rules = document["policies"]["messages"]["rules"]
    assert [rule["lists"] for rule in rules if rule["check"] == "keywords"] == [
        ["my-words", "my-words-2", "list", "quoted"],
        ["my-words-3"],
    ]


def test_a_name_is_refused_where_a_message_would_be_masked() -> None:
    document = tomllib.loads(composing.composed(preset.load("synapse"), usual(preset.load("synapse"))))
    keywords = {
        name: [(rule["action"], rule["lists"]) for rule in policy["rules"] if rule["check"] == "keywords"]
        for name, policy in document["policies"].items()
    }
    assert keywords == {
        "messages": [("reject", ["spam", "gambling"]), ("mask", ["abuse"])],
        "names": [("reject", ["spam", "gambling", "abuse"])],
    }


def test_every_rule_rests_on_something_that_is_told_in_chinese() -> None:
    document = tomllib.loads(composing.composed(preset.load("waline"), usual(preset.load("waline"))))
    grounds = {rule["ground"] for policy in document["policies"].values() for rule in policy["rules"]}
    assert grounds <= set(document["sentences"]["terms"])
