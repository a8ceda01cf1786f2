"""One bullet as its static version shows it, and nothing that it does not show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from gateway.journal.read.shown import shown_texts


class Bullet(NamedTuple):
    """``at``: milliseconds since the epoch when it was received, or sent where it is older than the gateway or waited
    for a person.

    ``sender`` is the name that the bullet itself shows, empty where it shows none. ``certain`` is False where nobody
    heard whether the platform took the bullet: it may be shown, so it has a static version.
    """

    id: str
    at: int
    text: str
    playback_ms: int = -1
    labels: tuple[str, ...] = ()
    sender: str = ""
    platform_id: str = ""
    certain: bool = True

    def told(self) -> dict[str, Any]:
        """As JSON, what is not there left out."""
        told: dict[str, Any] = {"id": self.id, "at": self.at, "text": self.text}
        if self.playback_ms >= 0:
            told["playback_ms"] = self.playback_ms
        if self.labels:
            told["labels"] = self.labels
        if self.sender:
            told["sender"] = self.sender
        if self.platform_id:
            told["platform_id"] = self.platform_id
        if not self.certain:
            told["certain"] = False
        return told


def read(told: Mapping[str, Any]) -> Bullet:
    """What ``told`` gave. Raises KeyError where it did not."""
    return Bullet(
        told["id"],
        told["at"],
        told["text"],
        told.get("playback_ms", -1),
        tuple(told.get("labels", ())),
        told.get("sender", ""),
        told.get("platform_id", ""),
        told.get("certain", True),
    )


def of_judged(record: Mapping[str, Any]) -> Bullet:
    """From a ``judged`` record that was passed: the text as it was relayed, masks applied."""
    return Bullet(
        record["id"],
        record.get("sent_at", record["time"]) // 1000,
        "\n".join(shown_texts(record)),
        record.get("playback_ms", -1),
        tuple(record.get("labels", ())),
        record.get("shown_sender", ""),
    )


def of_imported(record: Mapping[str, Any]) -> Bullet:
    """From an ``imported`` record."""
    return Bullet(
        record["id"],
        record["sent_at"] // 1000,
        "\n".join((record.get("content") or {}).get("plain") or ()),
        record.get("playback_ms", -1),
        platform_id=record["upstream_id"],
    )
