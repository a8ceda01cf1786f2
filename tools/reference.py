"""Writes the generated parts of docs/configuration.md and docs/reasons.md anew, from the code alone."""

import re
from pathlib import Path

from gateway.config.reference import BEGIN, reference
from gateway.judging import reasons

DOCS = Path(__file__).parent.parent / "docs"
TABLE = re.compile(r"\| reason \|[^\n]*\n\|[-|]+\n(?:\|[^\n]*\n)*")

page = DOCS / "configuration.md"
head, begin, _ = page.read_text(encoding="utf-8").partition(BEGIN)
assert begin, f"{page} has lost its mark {BEGIN!r}"
page.write_text(head + reference(), encoding="utf-8")

page = DOCS / "reasons.md"
text = page.read_text(encoding="utf-8")
for chapter in reasons.chapters():
    title = f"## {chapter.title}\n"
    if title not in text:
        text = f"{text.rstrip()}\n\n{title}\n| reason |\n|---|\n"
    before, _, after = text.partition(title)
    text = before + title + TABLE.sub(lambda _: reasons.page(chapter), after, count=1)  # noqa: B023 - used at once
page.write_text(text, encoding="utf-8")
