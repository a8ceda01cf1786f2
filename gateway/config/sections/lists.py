"""``[lists.NAME]``: word and pattern lists. What a word means stands in the list's own file, beside the word."""

from __future__ import annotations

from typing import Literal

from pydantic import field_validator

from filters.lists.strictness import CHOICES, chosen
from filters.text.tables import SWITCHES
from gateway.config.values.section import Section, required, setting
from gateway.config.values.units import Duration, Present, Size

Disguise = Literal["off", "evading", "all"]


class ListFile(Section):
    """One list. ``fold`` overrides switches of the file, so that two policies can read one file in two ways."""

    path: Present = required("The list's file, UTF-8.")
    kind: Literal["words", "patterns"] | None = setting(
        None, "Words or RE2 patterns (see docs/word-lists.md), whatever the file says; unset: what the file says."
    )
    category: str = setting("", "Public name of the category, told to senders; for words that name none.")
    fold: dict[str, bool] = setting(
        {}, "Folding switches that differ from the file's own, such as { leetspeak = true }."
    )
    clause: Literal["strict", "evading", "long", "all"] | None = setting(
        None,
        "Whether Han and Hangul words are seen across what ends a clause: never, where the text evades, long words "
        "across any one mark, or always; unset, here and below: what the file says.",
    )
    repeats: Disguise | None = setting(None, "Which longer runs of a letter are disguises: off, evading or all.")
    separators: Disguise | None = setting(None, "Which separators inside a word are disguises: off, evading or all.")
    marks: Disguise | None = setting(
        None, "Marks over letters: off, as the word has them; evading, those of the word and more; all, any."
    )
    inserted: bool | None = setting(
        None, "See through one foreign letter or digit inside a Han or Hangul word, as in 傻1逼."
    )
    window: Duration = setting(
        "0s",
        "Messages of one sender in one room within this time are read as one text, to find split words; 0: each alone.",
        ge=0,
        le=300,
    )
    window_length: int = setting(64, "Characters of earlier messages that are read along, at most.", ge=8, le=256)
    consecutive: int = setting(
        1,
        "More than 1 stands for window = “15s”: how many messages it takes does not count.",
        ge=1,
        le=16,
    )
    min_words: int = setting(0, "A file with fewer words is refused: was it copied whole?", ge=0, le=2_000_000)
    may_shrink: bool = setting(
        False, "Take the file also when it is emptied, or holds less than half of the words that are in force."
    )
    max_size: Size = setting("256MiB", "Largest file that is compiled.", ge=1024)

    def strict(self) -> dict[str, str]:
        """What is said here of disguises, by the names of ``filters.lists.strictness``."""
        return chosen({name: getattr(self, name) for name in CHOICES})

    @field_validator("fold", mode="after")
    @classmethod
    def _known_switches(cls, value: dict[str, bool]) -> dict[str, bool]:
        for name in value:
            if name not in SWITCHES:
                raise ValueError(f"has no folding “{name}”: known are {', '.join(SWITCHES)}")
        return value
