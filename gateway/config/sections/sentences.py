"""``[sentences]``: in which language senders are told why something is refused, and in which words."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, StringConstraints

from gateway.config.values.section import Section, setting

LONGEST_TITLE = 200
LONGEST = 1000
_PLACEHOLDER = re.compile(r"\{[a-z_]+\}")


def _one_line(value: str) -> str:
    if not value.isprintable():
        raise ValueError("has a line end or another control character: write one line")
    if value and not value.strip():
        raise ValueError("is blank: write some words")
    if (found := _PLACEHOLDER.search(value)) is not None:
        raise ValueError(
            f"has {found[0]}, which people would read as it stands: only texts of a refusal's body are filled"
        )
    return value


Line = Annotated[str, StringConstraints(max_length=LONGEST), AfterValidator(_one_line)]
Title = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_TITLE), AfterValidator(_one_line)]


class Sentence(Section):
    """An operator's own words for one reason."""

    title: Title | None = setting(None, f"A few words without a full stop, at most {LONGEST_TITLE} characters.")
    detail: Line | None = setting(
        None, f"One or two whole sentences, at most {LONGEST} characters; “” for none. Unset: as shipped."
    )


class Term(Section):
    """One ground or category in other languages than that of the policy or list."""

    zh: Title | None = setting(None, "In Chinese.")
    en: Title | None = setting(None, "In English.")


class Sentences(Section):
    """Every sentence that a sender reads is shipped in Chinese and English, see docs/reasons.md."""

    language: Literal["auto", "zh", "en"] = setting(
        "auto", "Language of refusals and notices; “auto”: what the client's Accept-Language prefers."
    )
    otherwise: Literal["zh", "en"] = setting("en", "Language for a client that prefers neither, or does not say.")
    zh: dict[str, Sentence] = setting({}, "Words of one's own in Chinese, by reason code.")
    en: dict[str, Sentence] = setting({}, "Words of one's own in English, by reason code.")
    terms: dict[Title, Term] = setting(
        {}, "Grounds and categories in the other language, by what policies and lists call them.", max_length=1000
    )
