"""Reason codes are one table for everybody outside; docs/reasons.md is held to it by tests/tools."""

from gateway.judging import reason_codes


def test_no_code_stands_for_two_things() -> None:
    codes = [code for chapter in reason_codes.chapters() for code, *_ in chapter.rows]
    assert len(codes) == len(set(codes))
