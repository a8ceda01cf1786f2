"""Hits of a rule's lists and severity, and lists that could not be applied."""

from filters.checks import keywords
from filters.model.verdict import Facts, Hit, Scan
from tests.filters.checks.finding import found

HIT = Hit("spam", "digest", 1, "spam", 5, 0, ((0, 4),))


def test_keywords_of_a_severity() -> None:
    scan = Scan({"spam": (HIT, HIT._replace(severity=2))})
    assert found("keywords", keywords.Options(("spam",)), Facts(), scan) == ["keyword.match"] * 2
    assert found("keywords", keywords.Options(("spam",), severity=3), Facts(), scan) == ["keyword.match"]
    assert found("keywords", keywords.Options(("abuse",)), Facts(), scan) == []
    assert found("keywords", keywords.Options(("spam",)), Facts(), Scan(failed={"spam": "fold.bound"})) == "fold.bound"
    assert found("keywords", keywords.Options(("abuse",)), Facts(), Scan(failed={"spam": "fold.bound"})) == []
