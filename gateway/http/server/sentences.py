"""What people are told, in the language that they read.

Problems are made in English, wherever something is refused; here is the one place where they get the words that are
sent: when an answer or a notice is written, and not before. A message that passes costs nothing of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from filters.model.meaning import CHINESE, ENGLISH, LANGUAGES
from gateway.http.server.problem import Problem
from gateway.http.wire.languages import preferred

AUTO: Final = "auto"
TAGS: Final[Mapping[str, bytes]] = {CHINESE: b"zh-CN", ENGLISH: b"en"}
"""As Content-Language names them (RFC 9110, section 8.5): Chinese is written here in simplified characters."""

Words = Mapping[str, tuple[str, str]]
"""By reason code: title and detail."""


class Chosen(NamedTuple):
    """``lines``: the header lines that say which language it is, and by which field it was chosen."""

    language: str
    lines: bytes


class Sentences:
    """``words`` and ``terms`` are by language; ``terms`` has grounds and categories as policies and lists write them.

    ``language``: zh, en, or auto: what the client prefers, and ``otherwise`` where it prefers neither.
    """

    __slots__ = ("_language", "_otherwise", "_terms", "_words")

    def __init__(
        self,
        words: Mapping[str, Words],
        terms: Mapping[str, Mapping[str, str]],
        language: str = AUTO,
        otherwise: str = ENGLISH,
    ) -> None:
        self._words = words
        self._terms = terms
        self._language = language
        self._otherwise = otherwise

    def chosen(self, setting: str, accept: bytes | None) -> Chosen:
        """``setting``: the route's own, empty for none. ``accept``: the client's Accept-Language."""
        language = setting or self._language
        if not self._words:
            return Chosen("", b"")
        if language != AUTO:
            return Chosen(language, b"Content-Language: %b\r\n" % TAGS[language])
        language = preferred(accept, LANGUAGES) or self._otherwise
        return Chosen(language, b"Content-Language: %b\r\nVary: Accept-Language\r\n" % TAGS[language])

    def worded(self, problem: Problem, language: str) -> Problem:
        """``problem`` in ``language``; what nobody has words for stays as it is."""
        words = self._words.get(language)
        if words is None:
            return problem
        title, detail = words.get(problem.words or problem.reason, (problem.title, problem.detail))
        terms = self._terms[language]
        return problem._replace(
            title=title,
            detail=detail,
            ground=terms.get(problem.ground, problem.ground),
            category=terms.get(problem.category, problem.category),
        )

    def told(self, problem: Problem, setting: str, accept: bytes | None) -> tuple[Problem, bytes]:
        """``problem`` in the language that is ``chosen``, and the header lines that say which that is."""
        chosen = self.chosen(setting, accept)
        return self.worded(problem, chosen.language), chosen.lines


SILENT: Final = Sentences({}, {})
"""Words as they were made, and nothing said of their language."""
