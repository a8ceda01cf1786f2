"""``[state]``: where limits, blocks, accounts and room status live while the gateway runs."""

from __future__ import annotations

from typing import Literal

from pydantic import SecretStr, field_validator

from gateway.common.defaults import defaults
from gateway.config.values.secret import Secret, UnknownSecret
from gateway.config.values.section import Section, required, setting
from gateway.config.values.units import Duration, Listen, Present, RateOf, Readable, Size
from gateway.state.model.settings import StateSettings

STATE = defaults(StateSettings)


class SentinelTls(Section):
    """For connections to the sentinels."""

    ca: Readable | None = setting(None, "File with the certificates to trust; the system's if unset.")
    certificate: Readable | None = setting(None, "Client certificate (PEM), with key.")
    key: Present | None = setting(None, "Private key of the client certificate (PEM).")


class Sentinel(Section):
    """A primary found through Sentinel."""

    servers: tuple[Listen, ...] = required("Sentinels, each host:port.", min_length=1)
    service: str = required("Name of the primary.", min_length=1)
    username: str = setting("", "User at the sentinels.")
    password: Secret = setting("", "Password at the sentinels.")
    tls: SentinelTls | None = setting(
        None, "Speak TLS with the sentinels. An empty table trusts the system's certificates; unset: no TLS."
    )


class StateTls(Section):
    """For ``rediss://``, and for the primary that sentinels name."""

    ca: Readable | None = setting(None, "File with the certificates to trust; the system's if unset.")
    certificate: Readable | None = setting(None, "Client certificate (PEM), with key.")
    key: Present | None = setting(None, "Private key of the client certificate (PEM).")


class Breaker(Section):
    """When state is no longer asked for a while. Only misses that a second look confirmed count."""

    misses: int = setting(STATE.misses, "Confirmed misses within the window that open the breaker.", ge=1)
    window: Duration = setting(STATE.window, "Time over which misses are counted.", gt=0)
    pause: Duration = setting(
        STATE.pause, "First pause before state is tried again; each further one is twice as long.", gt=0
    )
    max_pause: Duration = setting(STATE.max_pause, "Longest pause.", gt=0)


class State(Section):
    """Without url and sentinel the gateway starts a state server of its own on a unix socket."""

    url: Secret | None = setting(
        None, "redis://, rediss:// or unix:// address of a Redis or Valkey; unset: an embedded server."
    )
    username: str = setting("", "User, where the url names none.")
    password: Secret = setting("", "Password, where the url names none.")
    topology: Literal["single", "cluster"] = setting("single", "One server, or a cluster of which url is one node.")
    sentinel: Sentinel | None = setting(None, "The primary is found through Sentinel; instead of url.")
    tls: StateTls = setting(
        {}, "For rediss://, and for the primary that sentinels name where ca or certificate is set."
    )
    prefix: str = setting(
        STATE.prefix, "Start of every key, so that several gateways can share a server.", pattern="^[A-Za-z0-9_-]+$"
    )
    deadline: Duration = setting(
        STATE.deadline, "An answer must come within this time of the server's own; beyond: each rule's on_error.", gt=0
    )
    connect_timeout: Duration = setting(STATE.connect_timeout, "A connection must stand within.", gt=0)
    reconnect: Duration = setting(
        STATE.reconnect, "First pause before a lost connection is tried again; doubles up to 1 s.", gt=0
    )
    batch: int = setting(STATE.batch, "Messages of one loop turn that share a script call.", ge=1, le=256)
    max_waiting: int = setting(
        STATE.max_waiting, "Messages of a worker that wait for state; beyond: each rule's on_error.", ge=1
    )
    breaker: Breaker = setting({}, "When state is no longer asked for a while.")
    local_share: float = setting(
        STATE.local_share,
        "Share of each limit that a worker grants on its own while state is out of reach.",
        gt=0,
        le=1,
    )
    local_limits: int = setting(STATE.local_limits, "Limits that a worker remembers on its own meanwhile.", ge=100)
    verified_for: Duration = setting(
        STATE.verified_for,
        "How long a worker remembers that state called a sender verified, for answers of state that come too late; "
        "the record says so. 0s: not at all.",
        ge=0,
        le=3600,
    )
    verified_most: int = setting(STATE.verified_most, "Senders that a worker remembers as verified.", ge=2)
    block_limit: RateOf = setting(
        "1/10s",
        "What a block lets through that is a limit, as those of devices, addresses and ranges are by default. "
        "Blocks in force keep theirs until “tidegate state rebuild”; ranges take it up at the next start.",
    )
    poll: Duration = setting(STATE.poll, "How often workers look for new switches and blocks, notices apart.", gt=0)
    memory: Size = setting("256MiB", "Memory of the embedded server.", ge=16 << 20)
    server: str = setting("", "Program of the embedded server; found by itself if empty.")

    @field_validator("url", mode="after")
    @classmethod
    def _known_scheme(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None or isinstance(value, UnknownSecret):
            return value
        if not value.get_secret_value().startswith(("redis://", "rediss://", "unix:")):
            raise ValueError("does not begin with redis://, rediss:// or unix://")
        return value
