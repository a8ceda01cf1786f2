"""What answers an article, as far as it does: three grades, and never a better one than the means deserves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

from gateway.obligations.regulations.sentence import Sentence

Grade = Literal["kept", "partly", "not"]
GRADES: Final[tuple[Grade, ...]] = ("kept", "partly", "not")


GRADE_NAMES: Final[dict[Grade, Sentence]] = {
    "kept": Sentence("kept", "落实"),
    "partly": Sentence("partly", "部分落实"),
    "not": Sentence("not", "未落实"),
}


class Known(NamedTuple):
    """What the configuration alone does not say. ``words``: how many each list holds; ``severe``: of these, by severity
    from 2 on, how many are at least so grave. Of a running node: ``contained``: its probes found the static list on
    every page that they asked for; ``undecided``: by check, the share of messages that it could not decide."""

    words: Mapping[str, int]
    contained: bool = False
    severe: Mapping[str, Mapping[int, int]] = {}
    undecided: Mapping[str, float] = {}

    def found(self, name: str, severity: int) -> int:
        """How many words of a list a rule with this least severity finds."""
        words = self.words.get(name, 0)
        return self.severe.get(name, {}).get(severity, words)


class Fulfilment(NamedTuple):
    """What one means is worth on one route. ``settings``: keys of the configuration that make it so. ``lacks``: why it
    is not kept. ``means``: its name in ``MEANS``."""

    means: str
    grade: Grade
    mechanism: Sentence
    settings: tuple[str, ...] = ()
    lacks: tuple[Sentence, ...] = ()


def together(grades: list[Grade]) -> Grade:
    """Of several means that are all asked for: kept where each is, not where none is, else partly."""
    if all(grade == "kept" for grade in grades):
        return "kept"
    return "not" if all(grade == "not" for grade in grades) else "partly"
