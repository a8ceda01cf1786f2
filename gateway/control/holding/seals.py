"""The seal of what is parked, as the configuration in force has its keys."""

from __future__ import annotations

from collections.abc import Callable

from gateway.config import Config
from gateway.parking.seal import Seal, key_of


def seals(config: Callable[[], Config]) -> Callable[[], Seal | None]:
    """The seal, made anew when its keys change; None where nothing can be held."""
    held: dict[tuple[str, ...], Seal] = {}

    def seal() -> Seal | None:
        review = config().review
        if review is None:
            return None
        keys = tuple(one.get_secret_value() for one in (review.key, *review.previous_keys))
        if keys not in held:
            held.clear()
            held[keys] = Seal(key_of(keys[0]), map(key_of, keys[1:]))
        return held[keys]

    return seal
