"""What is said of blocks over the API."""

from __future__ import annotations

import ipaddress
from typing import Literal

from pydantic import BaseModel, Field, model_validator

from gateway.common.addresses import counted
from gateway.control.calls.schemas import MOST, Ground, Ident, Reasoned, Seconds, Why

BlockScope = Literal["sender", "registrant", "device", "ip", "room", "cidr"]

SHARED = ("device", "ip", "cidr")  # families and campuses share them: by default a limit, and for a day


def _range(text: str) -> str:
    """A range in its one spelling, IPv4 written as IPv6 as IPv4. Raises ValueError."""
    network = ipaddress.ip_network(text, strict=False)
    mapped = network.network_address.ipv4_mapped if isinstance(network, ipaddress.IPv6Network) else None
    if mapped is not None and network.prefixlen >= 96:
        network = ipaddress.ip_network((mapped, network.prefixlen - 96))
    return str(network)


def subject(scope: BlockScope, value: str, prefix: int) -> tuple[BlockScope, str]:
    """What a block of ``value`` is kept as. An IPv6 address stands for its network of ``prefix`` bits, and is kept as
    that range: ranges are found whatever the prefix is later, so that no change of it lifts a block (law 15)."""
    if scope == "ip" and (network := counted(value, prefix)) != value:
        return ("cidr", network) if "/" in network else ("ip", network)
    return scope, value


class BlockNew(Reasoned):
    scope: BlockScope
    value: Ident
    ground: Ground
    expires_at: Seconds | None = Field(
        None, description="Seconds since the epoch, 0: never. Left out: never, or in a day for device, ip and cidr."
    )
    limited: bool | None = Field(
        None, description="A limit rather than a wall. Left out: true for device, ip and cidr, which people share."
    )

    @model_validator(mode="after")
    def _address(self) -> BlockNew:
        if self.scope == "ip":
            try:
                address = ipaddress.ip_address(self.value)
            except ValueError:
                raise ValueError("value must be an IPv4 or IPv6 address") from None
            self.value = counted(str(address), 128)
        elif self.scope == "cidr":
            try:
                self.value = _range(self.value)
            except ValueError:
                raise ValueError("value must be a range such as 192.0.2.0/24") from None
        return self


class BlockOut(BaseModel):
    id: int
    scope: BlockScope
    value: str
    reason: str
    ground: str
    expires_at: int
    limited: bool
    created_at: int = Field(description="Microseconds since the epoch.")


class BlocksQuery(Why):
    scope: BlockScope | None = None
    value: Ident | None = None
    after: int = Field(0, ge=0, le=MOST, description="Blocks with a higher id only.")
    limit: int = Field(100, ge=1, le=1000)


class Blocks(BaseModel):
    blocks: list[BlockOut]
