"""Blocks, as control knows them."""

from __future__ import annotations

from gateway.control.access.roles import MODERATE, SEE_SENDERS, Permission
from gateway.control.acts.governance import Table
from gateway.control.blocks import endpoints
from gateway.control.blocks.rows import Block
from gateway.control.blocks.snapshot import blocks
from gateway.control.calls.endpoint import Endpoint
from gateway.control.calls.feature import Feature

READ, WRITE = Permission(SEE_SENDERS, "blocks:read"), Permission(MODERATE, "blocks:write")

BLOCKS = Feature(
    endpoints=(
        Endpoint("GET", "/v1/blocks", endpoints.listed, "List blocks", READ),
        Endpoint(
            "POST", "/v1/blocks", endpoints.create, "Block a sender, registrant, device, address, range, room", WRITE
        ),
        Endpoint("DELETE", "/v1/blocks/{id}", endpoints.delete, "Lift a block", WRITE),
    ),
    tables=(Table(Block, MODERATE, place=("scope", "value"), snapshot=blocks, expired_by="block.expire"),),
)
