"""What a check's file says of itself, so that nothing about it stands anywhere else.

``filters.checks`` has the table of checks. From a row follow the keys of configuration and their bounds, the reference,
the answers of its sender, the page of reasons, and the tests that go over every check.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

from filters.model.meaning import Meaning
from filters.model.rule import Asks, Find, Rule


class Option(NamedTuple):
    """What an option is for, as the reference says it, and its bounds: of the number, or of how many items there are.

    Stands in the annotation: ``below: Annotated[int, Option("Senders with a lower credit are found.", 1, 100)]``.
    """

    meaning: str
    at_least: int | None = None
    at_most: int | None = None


class Check(NamedTuple):
    """``options`` is a frozen dataclass whose fields are the check's keys in TOML; ``bind`` says what the check
    needs and returns the function that finds. ``reasons`` has every code that it finds, ``sample`` one line of
    configuration that is right. ``reads`` lets ``judge`` leave out what would find nothing:

    * ``facts``: what it finds hangs on ``Facts``, the time and ``Message.vouched`` alone, so that one object of facts
      need not be asked twice. Repeats read besides whether the text is long enough to count: see ``Policy.counted``;
    * ``hits``: it finds nothing where the lists found nothing and none of them failed;
    * ``parts``: it finds nothing where the message has no parts;
    * ``message``: it is always asked.

    ``spans``: its findings say where in the text, and can be masked. ``shadow``: a rule of it is in shadow unless it
    says otherwise.
    """

    options: type[Any]
    bind: Callable[[Rule, Asks], Find]
    reasons: Mapping[str, Meaning]
    sample: str
    reads: Literal["facts", "hits", "parts", "message"] = "message"
    spans: bool = False
    shadow: bool = False
