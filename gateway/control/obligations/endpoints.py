"""Obligations: read."""

from __future__ import annotations

from gateway.control.calls.call import Call
from gateway.control.calls.schemas import NoQuery
from gateway.control.obligations.generation_table import GenerationTable
from gateway.control.obligations.schemas import ObligationsOut


async def read(call: Call[None, NoQuery]) -> ObligationsOut:
    """Each route and each article: what is asked, how far it is kept, by what, and which test holds that."""
    return await call.service(GenerationTable).told()
