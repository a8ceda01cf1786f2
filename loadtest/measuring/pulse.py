"""Whether the load itself stands still: a clock in each load process that wants to wake a hundred times a second.

What a message was late for (``Tally.late``) may be the gateway's doing: who waits for an answer writes late. This clock
waits for nobody, so its lateness is the load's own: too little of a processor, or a machine that stood still.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

PERIOD = 0.01  # seconds from one waking to the next
MOST = 2_000  # wakings that one standstill stands for: 20 s are void whatever follows


def missed(late: float) -> Iterator[float]:
    """A waking ``late`` seconds late and those that it kept from happening, each with its own lateness.

    Without them a standstill of a second would count as one late waking among ninety-nine good ones (coordinated
    omission; the correction is that of HdrHistogram's ``recordValueWithExpectedInterval``).
    """
    for number in range(MOST):
        left = late - number * PERIOD
        if number and left <= 0:
            return
        yield max(0.0, left)


def beat(clock: Callable[[], float], sleep: Callable[[float], object], tell: Callable[[float], object]) -> None:
    """Wake for ever; ``tell`` hears of each lateness, in seconds."""
    due = clock() + PERIOD
    while True:
        sleep(max(0.0, due - clock()))
        now = clock()
        for late in missed(now - due):
            tell(late)
        due = now + PERIOD
