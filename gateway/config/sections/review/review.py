"""``[review]``: messages that wait until a person has decided on them. Without this table nothing can be held."""

from __future__ import annotations

from typing import Literal

from pydantic import SecretStr, field_validator

from gateway.common.defaults import defaults
from gateway.config.values.secret import Secret, UnknownSecret
from gateway.config.values.section import Section, required, setting
from gateway.config.values.units import Duration, Size
from gateway.parking.seal import key_of
from gateway.parking.settings import ReviewSettings

REVIEW = defaults(ReviewSettings)


def _checked(value: SecretStr) -> SecretStr:
    if not isinstance(value, UnknownSecret):
        key_of(value.get_secret_value())
    return value


class Review(Section):
    """How many may wait, what becomes of one more, and with which key they are sealed."""

    key: Secret = required(
        "What waits is sealed with: 32 random bytes as 64 hexadecimal digits, or in base64 (openssl rand -hex 32)."
    )
    previous_keys: tuple[Secret, ...] = setting(
        (), "Keys before it: what was sealed with one of them is opened still.", max_length=16
    )
    path: str = setting(
        REVIEW.path,
        "Where the gateway tells senders what became of a message that was held, each by an address of its own.",
        pattern=r"^/[A-Za-z0-9._/-]+/$",
    )
    waiting_per_sender: int = setting(REVIEW.waiting_per_sender, "Messages of one sender that may wait.", ge=1)
    waiting_per_room: int = setting(REVIEW.waiting_per_room, "Messages in one room that may wait.", ge=1)
    waiting: int = setting(REVIEW.waiting, "Messages that may wait in all: the high-water mark.", ge=1)
    expires: Duration = setting(
        "72h",
        "How long a message may wait. Then it is not published; its sender is told, and may send it again.",
        gt=0,
    )
    expires_live: Duration = setting("60s", "The same of a bullet, whose moment is soon over.", gt=0)
    delayed_per_sender: int = setting(
        REVIEW.delayed_per_sender, "Messages of one sender on a route with a delay that may wait for it.", ge=1
    )
    delayed: int = setting(
        REVIEW.delayed, "Messages that may wait for the delay of their route, in the memory of each worker.", ge=1
    )
    delayed_bytes: Size = setting(REVIEW.delayed_bytes, "Bytes that these may take.", ge=65536)
    on_cap: Literal["reject", "pass", "label"] = required(
        "What one more is worth than may wait: refused, or published, with a label or without. There is no default."
    )

    @field_validator("key", mode="after")
    @classmethod
    def _one_key(cls, value: SecretStr) -> SecretStr:
        return _checked(value)

    @field_validator("previous_keys", mode="after")
    @classmethod
    def _keys(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        for one in value:
            _checked(one)
        return value
