"""Writes the generated part of docs/configuration.md anew, from the models alone."""

from pathlib import Path

from gateway.config.reference import BEGIN, reference

PAGE = Path(__file__).parent.parent / "docs" / "configuration.md"

head, begin, _ = PAGE.read_text(encoding="utf-8").partition(BEGIN)
assert begin, f"{PAGE} has lost its mark {BEGIN!r}"
PAGE.write_text(head + reference(), encoding="utf-8")
