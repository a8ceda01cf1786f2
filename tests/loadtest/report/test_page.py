"""The report as it lies in the folder: one file, two languages, no word on a curve, a table behind each plot."""

import json
import math
import re
from pathlib import Path

import pytest

from loadtest import run
from loadtest.asked import Asked
from loadtest.judging import figures
from loadtest.judging.objectives import Objectives
from loadtest.measuring.load import Order
from loadtest.report.page import LANGUAGES
from loadtest.report.run_plots import MOST_POINTS, binned, there_in
from tests.loadtest import recorded
from tests.loadtest.report.parsed import Element, parsed

MACHINE = {"cpu": "a <b> processor", "cores": 2, "memory_gib": 7.75, "packages": {"uvloop": "1"}}


def report(out: Path, order: Order = recorded.ORDER, **more: object) -> run.Result:
    asked = Asked(order.suite, out, cores=8, shape="steps")._replace(**more)  # type: ignore[arg-type]
    out.mkdir(exist_ok=True)
    return run.report(asked, order, recorded.gateway(), recorded.direct(), MACHINE)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Element:
    out = tmp_path_factory.mktemp("report")
    report(out)
    return parsed((out / "report.html").read_text(encoding="utf-8"))


def test_the_folder_holds_the_page_and_the_figures(tmp_path: Path) -> None:
    result = report(tmp_path)
    assert result.judgement.state == "kept"  # the window ends before the gateway was slow
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "result.json"]
    whole = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))
    assert whole["state"] == "kept"
    assert whole["sentence"]["en"] == result.judgement.told.en
    assert whole["figures"]["messages"] == 2820
    assert whole["figures"]["seen_p99_ms"] is None
    assert len(whole["gateway"]["seconds"]) == 10
    assert [one["name"] for one in whole["objectives"]][2] == "answer p99"


def test_it_opens_by_itself(page: Element, tmp_path: Path) -> None:
    report(tmp_path)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert re.findall(r"https?://(?!www\.w3\.org/2000/svg)", text) == []
    assert re.findall(r"url\(|@import|fetch\(|XMLHttpRequest", text) == []
    for one in page:
        assert not {"src", "href", "srcset", "data", "action"} & one.attributes.keys(), one.tag
    assert "<b>" in MACHINE["cpu"]  # type: ignore[operator]
    assert "a &lt;b&gt; processor" in text


def test_the_sentence_is_first_and_four_tiles_follow(page: Element) -> None:
    (judgement,) = [one for one in page.all("p") if "judgement" in one.attributes.get("class", "")]
    assert judgement.attributes["class"] == "judgement kept"
    assert judgement.said("en").startswith("Kept all 6 objectives")
    assert judgement.said("zh-CN").startswith("6 项目标全部达到")
    (tiles,) = page.all("dl")
    assert [one.said("en") for one in tiles.all("dt")] == [
        "Judged · delivered /s", "Answer p99", "Errors", "Refused",
    ]  # fmt: skip
    assert [one.said("en") for one in tiles.all("b")][3] == "10 %"
    order = list(page)
    assert order.index(judgement) < order.index(tiles) < order.index(page.all("figure")[0])


def test_everything_is_said_in_both_languages(page: Element) -> None:
    """A sentence in English stands beside one in Chinese; what stands alone is a name or a number."""
    english, chinese = (len([one for one in page if one.attributes.get("lang") == each]) for each in ("en", "zh-CN"))
    assert english - (page.all("html")[0].attributes["lang"] == "en") == chinese > 50
    for one in page.all("span", lang="en"):
        assert one.parent is not None
        (beside,) = [
            two for two in one.parent.children if isinstance(two, Element) and two.attributes.get("lang") == "zh-CN"
        ]
        assert bool(one.said("en")) == bool(beside.said("zh-CN"))
    for place in ("h1", "h2", "figcaption", "summary", "dt", "legend"):
        for one in page.all(place):
            assert re.search(r"[\u4e00-\u9fff]", one.said("zh-CN")), one.said("en")
            assert not re.search(r"[\u4e00-\u9fff]", one.said("en"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_language_asked_for_is_shown_first(tmp_path: Path, language: str) -> None:
    report(tmp_path, language=language)
    root = parsed((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert root.all("html")[0].attributes["lang"] == {"en": "en", "zh": "zh-CN"}[language]
    (shown,) = [one for one in root.all("input") if "checked" in one.attributes]
    assert shown.attributes["id"] == f"show-{language}"
    labels = {one.attributes.get("for") for one in root.all("label")}
    assert labels == {"show-en", "show-zh"}


def test_drawings_are_named_and_hold_numbers_only(page: Element) -> None:
    ids = {one.attributes["id"]: one for one in page if "id" in one.attributes}
    figures = page.all("figure")
    assert [one.all("figcaption")[0].attributes["id"] for one in figures] == [
        "plot-rate", "plot-latency", "plot-check", "plot-verdicts", "plot-errors", "plot-saturation",
    ]  # fmt: skip
    for figure in figures:
        drawings = figure.all("svg", role="img")
        assert [one.attributes["class"] for one in drawings] == ["wide", "narrow"]
        for one in drawings:
            assert ids[one.attributes["aria-labelledby"]].within("figure")
            assert one.all("title")
            for text in one.all("text"):  # a word on a drawing could cover a curve, and would have one language
                assert re.fullmatch(r"[\d.]+k?", text.said("en"))
        (legend,) = figure.all("ul")
        assert not legend.within("svg")
        assert all(one.attributes["aria-hidden"] == "true" for one in legend.all("svg"))


def test_behind_each_plot_is_a_table_of_its_numbers(page: Element) -> None:
    for figure in page.all("figure"):
        (table,) = figure.all("details")[0].all("table")
        head = [one.said("en") for one in table.all("thead")[0].all("th")]
        rows = [one.all("td") for one in table.all("tbody")[0].all("tr")]
        assert rows
        assert all(len(row) == len(head) - 1 for row in rows)
        assert all(one.attributes.get("scope") in ("col", "row") for one in table.all("th"))
    rate = page.all("figure")[0].all("tbody")[0].all("tr")
    assert [one.said("en") for one in rate[0]][1:] == ["1", "100", "100", "90"]  # planned, judged, delivered


def test_objectives_are_lines_in_the_plots(page: Element) -> None:
    said = {
        figure.all("figcaption")[0].attributes["id"]: [one.said("en") for one in figure.all("li")]
        for figure in page.all("figure")
    }
    assert "objective of the whole run: answer p99 at most 100 ms" in said["plot-latency"]
    assert any(
        one.startswith("objective of the whole run: p99 of the platform alone + 3 ms") for one in said["plot-latency"]
    )
    assert "objective of the whole run: check p99 at most 1 ms" in said["plot-check"]
    assert "objective of the whole run: at most 0.1 %" in said["plot-errors"]
    for figure in page.all("figure"):
        lines = [one for one in figure.all("path") if re.fullmatch(r"M54,[\d.]+H848", one.attributes["d"])]
        drawn = [one for one in lines if one.attributes.get("stroke-dasharray") == "6 4"]
        wanted = sum(one.startswith("objective") for one in said[figure.all("figcaption")[0].attributes["id"]])
        assert len(drawn) == wanted


def test_503s_stand_apart_from_refusals(tmp_path: Path) -> None:
    whole = recorded.gateway()
    whole.seconds[4]["errors"] = {"503 identity.unavailable": 9}
    run.report(Asked("comment-storm", tmp_path), recorded.ORDER, whole, None, MACHINE)
    root = parsed((tmp_path / "report.html").read_text(encoding="utf-8"))
    figures = {one.all("figcaption")[0].attributes["id"]: one for one in root.all("figure")}
    assert not any("503" in one.said("en") for one in figures["plot-verdicts"].all("li"))
    assert "503: out of order, no verdict" in [one.said("en") for one in figures["plot-errors"].all("li")]
    row = figures["plot-errors"].all("tbody")[0].all("tr")[4]
    assert [one.said("en") for one in row.all("td")] == [f"{900 / 309:.3g}", "0"]
    assert root.all("dl")[0].all("dd")[2].said("en").strip().startswith("0.318")
    assert "9 × 503, 0 others" in root.all("dl")[0].all("dd")[2].said("en")


def test_a_void_run_shows_no_tile_as_kept(tmp_path: Path) -> None:
    late = recorded.steady(lag=0.2)
    result = run.report(Asked("comment-storm", tmp_path), recorded.ORDER._replace(shape="soak"), late, None, MACHINE)
    assert result.judgement.state == "void"
    root = parsed((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert {one.attributes.get("class") for one in root.all("dl")[0].all("div")} == {"plain"}
    assert json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))["void"][0]["code"] == "late"


def test_a_platform_that_was_loaded_while_the_load_stood_still_is_not_compared_with(tmp_path: Path) -> None:
    order = recorded.ORDER._replace(shape="soak")
    asked = Asked("comment-storm", tmp_path, objectives=Objectives(added_p99_ms=100.0))
    good = run.report(asked, order, recorded.steady(), recorded.steady(), MACHINE)
    bad = run.report(asked, order, recorded.steady(), recorded.steady(lag=0.2), MACHINE)
    added = [{one.name: one for one in each.objectives}["added p99"] for each in (good, bad)]
    assert [one.state for one in added] == ["kept", "not measured"]
    assert math.isnan(added[1].measured)


def test_long_runs_are_drawn_in_few_points() -> None:
    moments = [*range(10_000)]
    bins = binned(moments)
    assert len(bins) <= MOST_POINTS
    assert [one for each in bins for one in each] == moments
    assert len(binned(moments[:300])) == 300


def test_people_who_come_within_a_second_are_planned_for_half_of_it() -> None:
    moments = figures.of(recorded.gateway(), None).moments  # 10, 10, 20, 20 … at the end of each second
    assert there_in(moments)[:4] == [10, 10, 15, 20]
