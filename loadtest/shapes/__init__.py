"""How many people there are when: ``users_at(elapsed, duration, users)``, in one table. Pure arithmetic.

``chosen.py`` is what Locust runs; it alone imports Locust.
"""

from collections.abc import Callable

from loadtest.shapes import ramp, soak, spike, steps

SHAPES: dict[str, Callable[[float, float, int], int | None]] = {
    "ramp": ramp.users_at,
    "spike": spike.users_at,
    "soak": soak.users_at,
    "steps": steps.users_at,
}
"""``elapsed`` and ``duration`` in seconds; None when it is over."""
