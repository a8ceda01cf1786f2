"""Blocks, as control knows them."""

from __future__ import annotations

from gateway.control.acts.governance import Table
from gateway.control.blocks import endpoints
from gateway.control.blocks.rows import Block
from gateway.control.blocks.snapshot import blocks
from gateway.control.calls.endpoint import Endpoint
from gateway.control.calls.feature import Feature

BLOCKS = Feature(
    endpoints=(
        Endpoint("GET", "/v1/blocks", endpoints.listed, "List blocks"),
        Endpoint("POST", "/v1/blocks", endpoints.create, "Block a sender, registrant, device, address, range or room"),
        Endpoint("DELETE", "/v1/blocks/{id}", endpoints.delete, "Lift a block"),
    ),
    tables=(Table(Block, place=("scope", "value"), snapshot=blocks, expired_by="block.expire"),),
)
