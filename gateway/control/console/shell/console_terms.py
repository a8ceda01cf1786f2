"""What the configuration in force calls things: grounds and categories in the reader's language, as senders are told
them, and the names that a form offers instead of having somebody know them by heart."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gateway.config import Config
from gateway.judging.answers import reason_of
from gateway.sentences.own import TERMS


class ConsoleTerms:
    """``config``: the one in force."""

    def __init__(self, config: Callable[[], Config]) -> None:
        self._config = config

    def told(self, term: str, language: str) -> str:
        """A ground or a category in that language; as it is written where nobody said it in another one."""
        own = self._config().sentences.terms.get(term)
        return (own and getattr(own, language)) or TERMS.get(term, {}).get(language) or term

    @staticmethod
    def meaning(code: str, language: str) -> str:
        """What a reason code says, in a few words."""
        return reason_of(code).told(language)[0] if code else ""

    @property
    def grounds(self) -> Sequence[str]:
        """Those of the desk, then those of the rules."""
        config = self._config()
        rules = [rule.ground for policy in config.policies.values() for rule in policy.rules if rule.ground]
        return list(dict.fromkeys([*config.desk.grounds, *sorted(rules)]))

    @property
    def categories(self) -> Sequence[str]:
        """Those that lists, the desk and sentences name in the configuration; a list's file may have more."""
        config = self._config()
        named = {one.category for one in config.lists.values()} | {*config.desk.grave, *config.desk.second}
        return sorted((named | config.sentences.terms.keys()) - {"", *self.grounds})

    @property
    def routes(self) -> Sequence[str]:
        return [route.name for route in self._config().routes if route.surface]

    @property
    def lists(self) -> Sequence[str]:
        return sorted(self._config().lists)
