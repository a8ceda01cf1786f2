"""What a client's connection is at: the states of ``ServerProtocol``, which draws how they follow each other."""

from __future__ import annotations

from typing import Final

IDLE: Final = 0
UNDECIDED: Final = 1
COLLECT: Final = 2
STREAM: Final = 3
COMPLETE: Final = 4
LINGER: Final = 5
TAKEN: Final = 6
CLOSED: Final = 7
