import tomllib
from importlib.resources import files

from gateway.obligations.means import MEANS
from gateway.obligations.regulations.articles import documents, services
from gateway.surfaces import SURFACES


def test_each_article_is_told_once_in_both_languages_with_what_answers_it() -> None:
    for document in documents():
        numbers = [article.number for article in document.articles]
        assert len(numbers) == len(set(numbers)), document.id
        assert document.title.en
        assert document.title.zh
        for article in document.articles:
            assert article.asks.en
            assert any("一" <= letter <= "鿿" for letter in article.asks.zh), article
            assert bool(article.needs) != (article.outside is not None), article


def test_every_need_is_known_and_every_means_is_needed_or_a_check() -> None:
    needed = {need for document in documents() for article in document.articles for need in article.needs}
    assert needed <= set(MEANS)
    assert {means for means in MEANS if not means.startswith("check:")} <= needed


def test_documents_are_told_apart_and_dated() -> None:
    ids = [document.id for document in documents()]
    assert len(ids) == len(set(ids))
    assert all(len(document.version) == 10 for document in documents())


def test_surfaces_are_services_that_some_document_speaks_of() -> None:
    assert {service for traits in SURFACES.values() for service in traits.services} <= services()
    assert "*" not in services()


def test_no_key_of_the_data_is_overlooked() -> None:
    data = tomllib.loads(files("gateway.obligations.regulations").joinpath("articles.toml").read_text(encoding="utf-8"))
    known = {"article", "en", "zh", "services", "surfaces", "needs", "outside", "outside_zh", "lacks", "lacks_zh"}
    for document in data["documents"]:
        assert set(document) == {"id", "title", "title_zh", "version", "services", "articles"}
        assert all(set(article) <= known for article in document["articles"])
