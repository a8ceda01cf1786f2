"""How this node's journal goes on. It holds texts and personal data: machines with a scope of its own are asked for,
and that one has begun to read is an act of whoever answers for it (law 12)."""

from __future__ import annotations

from aiohttp import web

from gateway.control.acts.refusal import ControlError
from gateway.control.calls.call import Call
from gateway.control.calls.schemas import NoQuery
from gateway.control.journals.journal_readers import JournalReaders
from gateway.control.journals.schemas import JournalAsked
from gateway.replicas.copying.fetched import MEDIA_TYPE, SegmentPlace


async def fetch(call: Call[JournalAsked, NoQuery]) -> web.Response:
    """Segments of this node's own folders from the given places on; waits a moment where there is nothing new. Never
    those of other nodes that are kept here."""
    readers, body = call.service(JournalReaders), call.body
    if body.node == readers.node:
        raise ControlError(
            409, "control.same_node", "This node has that number itself: give each node its own (server.node)."
        )
    wanted = {
        name: [SegmentPlace(place.segment, place.offset, place.before) for place in places]
        for name, places in body.folders.items()
    }
    with readers.reading():
        if readers.is_new(call.caller.token, body.node):
            await call.reads(
                f"node {body.node} keeps a copy of this journal", "journal.replicate", f"node {readers.node}"
            )
            readers.known(call.caller.token, body.node)
        answer = await readers.fetch(wanted, body.most, body.wait)
    return web.Response(body=answer, headers={"Content-Type": MEDIA_TYPE})
