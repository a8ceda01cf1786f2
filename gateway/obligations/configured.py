"""The table of obligations of one configuration, with how many words its lists hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from filters.lists.listsource import ParsedList
from gateway import config as configuration
from gateway.obligations.compliance import outside, standings
from gateway.obligations.fulfilment import Known
from gateway.obligations.node_evidence import NodeEvidence
from gateway.obligations.table import Obligations
from gateway.words.errors import WordListError
from gateway.words.files import read_list
from gateway.words.specs import ListSpec

if TYPE_CHECKING:
    from gateway.config import Config


def of_config(
    config: Config, severe: Mapping[str, Mapping[int, int]], evidence: NodeEvidence | None = None
) -> Obligations:
    """``severe``: see ``list_sizes``; ``evidence``: what a running node shows of itself, None where none was asked."""
    known = Known({name: counts[1] for name, counts in severe.items()}, severe=severe)
    if evidence is not None:
        known = known._replace(contained=evidence.contained, undecided=evidence.shares)
    return Obligations(
        rows=standings(config, known),
        outside=outside(config),
        unjudged=configuration.unjudged(config),
        lists={route.name: _lists(config, route.policy) for route in config.routes if route.judged},
        evidence=evidence,
    )


def list_sizes(config: Config) -> dict[str, dict[int, int]]:
    """How many words the file of each list finds, by the least severity that is asked for (1 to 9); none for one that
    cannot be read. A word that the list allows again finds nothing."""
    sizes: dict[str, dict[int, int]] = {}
    for name, section in config.lists.items():
        try:
            parsed = read_list(ListSpec(name, str(section.path), section.kind, section.category))
        except WordListError:
            parsed = ParsedList(name)
        allowed = {_bare(entry.parts) for entry in parsed.entries if entry.allow}
        found = [one.severity for one in parsed.entries if not one.allow and _bare(one.parts) not in allowed]
        sizes[name] = {least: sum(severity >= least for severity in found) for least in range(1, 10)}
    return sizes


def _bare(parts: Sequence[str]) -> tuple[str, ...]:
    return tuple("".join(part.casefold().split()) for part in parts)


def _lists(config: Config, policy: str) -> tuple[str, ...]:
    rules = config.policies[policy].rules
    return tuple(dict.fromkeys(name for rule in rules for name in getattr(rule, "lists", ())))
