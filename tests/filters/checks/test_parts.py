"""Parts that nothing can judge."""

from filters.checks import parts
from filters.model.verdict import Facts
from tests.filters.checks.finding import MESSAGE, found


def test_parts_are_found_where_there_are_some() -> None:
    assert found("parts", parts.Options(), Facts()) == []
    assert found("parts", parts.Options(), Facts(), message=MESSAGE._replace(parts=("/image",))) == ["parts.unjudged"]
