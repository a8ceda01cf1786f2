"""What people write: a small corpus of our own, with the lengths of the real thing, and what each line must meet.

Sentences are put together from everyday clauses in Chinese and English. Lines that break the rules carry the words of
the demo's neutral lists (spam, gambling, abuse), plainly or evading; lines that only look like it carry what must pass.
Nothing here was taken from anybody.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Literal, NamedTuple

from filters.text.fingerprint import fingerprint
from filters.text.folding import folder
from filters.text.tables import WORDS
from gateway.words.files import folding_tables
from loadtest.crowd.evasions import EVASIONS
from loadtest.crowd.phrases import CHAT, CLAUSES, SHORT

Kind = Literal["plain", "lookalike", "denied", "evasive", "masked"]
Register = Literal["comment", "bullet", "chat"]

POOL = 2000  # lines prepared for each register: enough that a person rarely says the same twice


class Line(NamedTuple):
    """``published``: what the others see, where the line passes. ``category``: of the list that denies it, or empty.

    ``mark``: the fingerprint by which the gateway knows the text again (``filters.text.fingerprint``).
    """

    text: str
    kind: Kind
    published: str
    category: str
    mark: bytes


TAILS = ("", "", "", "。", "！", "~", "……", " :)", "👍", "😂", "🎉", "？")
JOINTS = ("，", "，", "。", "；", ", ", " ")

# The words of gateway/demo/lists and what only looks like them; tests/loadtest holds both to the shipped lists.
DENIED: Mapping[str, tuple[str, ...]] = {
    "spam": ("代开发票", "加微信领红包", "刷单返利", "buy followers"),
    "gambling": ("网上赌博", "网上赌场开户"),
}
ABUSE = ("傻瓜", "idiot")
LOOKALIKES = ("反网上赌博", "我们要反網上賭博", "网络上的赌博电影不好看", "idiotic 这个词怎么读", "发票代为保管")

# How many clauses, and how often: most comments are one or two, and a few are small essays.
LENGTHS: Mapping[Register, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "comment": ((1, 2, 3, 5, 9, 24), (42, 28, 15, 9, 5, 1)),
    "bullet": ((1, 2), (90, 10)),
    "chat": ((1, 2, 4), (75, 20, 5)),
}
PHRASES: Mapping[Register, Sequence[str]] = {"comment": CLAUSES, "bullet": SHORT, "chat": (*CHAT, *CLAUSES[:12])}

Mix = Mapping[Kind, float]
HONEST: Mix = {"plain": 0.93, "lookalike": 0.02, "masked": 0.02, "denied": 0.02, "evasive": 0.01}
"""What a day on a platform looks like: most people write decently."""
HOSTILE: Mix = {"plain": 0.1, "denied": 0.35, "evasive": 0.45, "masked": 0.1}


class Corpus:
    """Lines of one register, prepared ahead so that drawing one costs next to nothing during the test."""

    def __init__(
        self, register: Register, seed: int, size: int = POOL, rest: Callable[[], None] = lambda: None
    ) -> None:
        """``rest`` is called now and then, because on a busy machine this takes a second."""
        draw = Random(f"{register} {seed}")
        self._register = register
        self._rest = rest
        self._made = 0
        self._fold = folder(folding_tables(), WORDS).text
        special = max(size // 5, 50)
        self._lines: dict[Kind, list[Line]] = {
            "plain": [self._line(draw, "plain", self._plain(draw)) for _ in range(size)],
            "lookalike": [self._line(draw, "lookalike", draw.choice(LOOKALIKES)) for _ in range(special)],
            "denied": [self._denied(draw, evading=False) for _ in range(special)],
            "evasive": [self._denied(draw, evading=True) for _ in range(special)],
            "masked": [self._line(draw, "masked", draw.choice(ABUSE)) for _ in range(special)],
        }

    def draw(self, mix: Mix, draw: Random) -> Line:
        """One line; its kind as ``mix`` says."""
        kind = draw.choices(list(mix), list(mix.values()))[0]
        return draw.choice(self._lines[kind])

    def lines(self, kind: Kind) -> Sequence[Line]:
        """All lines of one kind."""
        return self._lines[kind]

    def _plain(self, draw: Random) -> str:
        counts, weights = LENGTHS[self._register]
        phrases = PHRASES[self._register]
        text = draw.choice(phrases)
        for _ in range(draw.choices(counts, weights)[0] - 1):
            text += draw.choice(JOINTS) + draw.choice(phrases)
        return text + draw.choice(TAILS)

    def _denied(self, draw: Random, *, evading: bool) -> Line:
        category = draw.choice(list(DENIED))
        word = draw.choice(DENIED[category])
        if evading:
            word = draw.choice(EVASIONS)(word, draw)
        return self._line(draw, "evasive" if evading else "denied", word, category)

    def _line(self, draw: Random, kind: Kind, core: str, category: str = "") -> Line:
        self._made += 1
        if self._made % 100 == 0:
            self._rest()
        # Around a core, letters and figures stay a space away, so that whole words stay whole.
        text = core if kind == "plain" else f"{draw.choice(PHRASES[self._register])}， {core} {draw.choice(TAILS)}"
        published = text.replace(core, "*" * len(core)) if kind == "masked" else text
        return Line(text, kind, published, category, fingerprint(self._fold(text)))
