"""Every page of the console, in one table that a reader can see. How one is added: CONTRIBUTING."""

from __future__ import annotations

from gateway.control.access.roles import Role
from gateway.control.console.pages.desk import (
    appeals_page,
    bulk_page,
    handover_page,
    list_page,
    queues_page,
    sample_page,
    samples_page,
    single_page,
)
from gateway.control.console.pages.places import (
    blocks_page,
    incident_page,
    messages_page,
    room_page,
    sender_page,
    takedowns_page,
    word_lists_page,
)
from gateway.control.console.pages.running import (
    acts_page,
    live_page,
    node_page,
    obligations_page,
    own_pages,
    people_page,
)
from gateway.control.console.shell.console_page import ConsolePage

ME = "GET /v1/me"
SEARCH = "POST /v1/messages/search"
CLAIM, LINES = "POST /v1/review/cases:claim", "POST /v1/review/cases:lines"
CASE = "/v1/review/cases/{id}"
APPEAL = "/v1/appeals/{id}"
INCIDENT = "/v1/incidents/{id}"
PERSON = "/v1/people/{name}"
SAMPLES, SAMPLE = "/v1/review/samples", "/v1/review/samples/{id}"
BULK = "POST /v1/review/cases/{id}:reopen"  # over the queue, cases are decided by leads, who may this too

PAGES: tuple[ConsolePage, ...] = (
    ConsolePage("GET", "/review", "single", single_page.desk, CLAIM, menu=True, start=Role.REVIEWER),
    ConsolePage("POST", "/review/next", "single", single_page.take, CLAIM),
    ConsolePage("GET", "/review/{id}", "single", single_page.case, f"GET {CASE}"),
    ConsolePage("GET", "/review/{id}/now", "single", single_page.now, CLAIM, quiet=True),
    ConsolePage("POST", "/review/{id}/sender", "single", single_page.sender, f"GET {CASE}/sender"),
    ConsolePage("POST", "/review/{id}/approve", "single", single_page.approve, f"POST {CASE}:approve"),
    ConsolePage("POST", "/review/{id}/refuse", "single", single_page.refuse, f"POST {CASE}:refuse"),
    ConsolePage("POST", "/review/{id}/escalate", "single", single_page.escalate, f"POST {CASE}:escalate"),
    ConsolePage("POST", "/review/{id}/skip", "single", single_page.skip, f"POST {CASE}:release"),
    ConsolePage("POST", "/review/{id}/undo", "single", single_page.undo, f"POST {CASE}:undo"),
    ConsolePage("GET", "/list", "list", list_page.lines, LINES, menu=True),
    ConsolePage("POST", "/list/take", "list", list_page.take, CLAIM),
    ConsolePage("POST", "/list/decide", "list", list_page.decide, LINES),
    ConsolePage("POST", "/list/undo", "list", list_page.undo, "POST /v1/review/cases:undo"),
    ConsolePage("GET", "/sample", "sample", sample_page.desk, f"POST {SAMPLES}:claim", menu=True),
    ConsolePage("POST", "/sample/take", "sample", sample_page.take, f"POST {SAMPLES}:claim"),
    ConsolePage("POST", "/sample/{id}/decide", "sample", sample_page.decide, f"POST {SAMPLE}:decide"),
    ConsolePage("POST", "/sample/{id}/release", "sample", sample_page.give_back, f"POST {SAMPLE}:release"),
    ConsolePage("GET", "/appeals", "appeals", appeals_page.listed, "GET /v1/appeals", menu=True),
    ConsolePage("POST", "/appeals/{id}/claim", "appeals", appeals_page.claim, f"POST {APPEAL}:claim"),
    ConsolePage("GET", "/appeals/{id}", "appeals", appeals_page.appeal, f"POST {APPEAL}:claim"),
    ConsolePage("POST", "/appeals/{id}/decide", "appeals", appeals_page.decide, f"POST {APPEAL}:decide"),
    ConsolePage("POST", "/appeals/{id}/skip", "appeals", appeals_page.skip, f"POST {APPEAL}:release"),
    ConsolePage("POST", "/appeals/{id}/escalate", "appeals", appeals_page.escalate, f"POST {APPEAL}:escalate"),
    ConsolePage("POST", "/appeals/{id}/undo", "appeals", appeals_page.undo, f"POST {APPEAL}:undo"),
    ConsolePage("GET", "/queues", "queues", queues_page.queues, "GET /v1/review", menu=True, start=Role.LEAD),
    ConsolePage("GET", "/incidents", "incidents", incident_page.listed, "GET /v1/incidents", menu=True),
    ConsolePage("GET", "/incidents/new", "incidents", incident_page.form, "POST /v1/incidents"),
    ConsolePage("POST", "/incidents/preview", "incidents", incident_page.preview, "POST /v1/incidents"),
    ConsolePage("POST", "/incidents", "incidents", incident_page.begin, "POST /v1/incidents"),
    ConsolePage("GET", "/incidents/{id}", "incidents", incident_page.one, f"GET {INCIDENT}"),
    ConsolePage("POST", "/incidents/{id}/extend", "incidents", incident_page.extend, f"POST {INCIDENT}:extend"),
    ConsolePage("POST", "/incidents/{id}/end", "incidents", incident_page.end, f"POST {INCIDENT}:end"),
    ConsolePage("POST", "/incidents/{id}/release", "incidents", incident_page.release, f"POST {INCIDENT}:release"),
    ConsolePage("POST", "/incidents/{id}/expire", "incidents", incident_page.expire, f"POST {INCIDENT}:expire"),
    ConsolePage("GET", "/bulk", "bulk", bulk_page.form, BULK),
    ConsolePage("POST", "/bulk", "bulk", bulk_page.preview, BULK),
    ConsolePage("POST", "/bulk/decide", "bulk", bulk_page.decide, BULK),
    ConsolePage("GET", "/handover", "handover", handover_page.handover, "GET /v1/handover", menu=True),
    ConsolePage("POST", "/handover", "handover", handover_page.note, "POST /v1/handover"),
    ConsolePage("GET", "/samples", "samples", samples_page.samples, f"GET {SAMPLES}", menu=True),
    ConsolePage("POST", "/samples/{id}", "samples", samples_page.settle, f"POST {SAMPLE}:settle"),
    ConsolePage("GET", "/messages", "messages", messages_page.form, SEARCH, menu=True),
    ConsolePage("POST", "/messages", "messages", messages_page.search, SEARCH),
    ConsolePage("GET", "/messages/{id}", "messages", messages_page.asking, "GET /v1/messages/{id}"),
    ConsolePage("POST", "/messages/{id}", "messages", messages_page.story, "GET /v1/messages/{id}"),
    ConsolePage("POST", "/messages/{id}/takedown", "messages", messages_page.take_down, "POST /v1/takedowns"),
    ConsolePage("GET", "/senders", "senders", sender_page.form, "GET /v1/blocks", menu=True),
    ConsolePage("POST", "/senders", "senders", sender_page.shown, "GET /v1/blocks"),
    ConsolePage("POST", "/senders/block", "senders", sender_page.block, "POST /v1/blocks"),
    ConsolePage("GET", "/rooms", "room", room_page.room, "GET /v1/rooms/{room}", menu=True),
    ConsolePage("POST", "/rooms", "room", room_page.messages, SEARCH),
    ConsolePage("POST", "/rooms/status", "room", room_page.put, "PUT /v1/rooms/{room}"),
    ConsolePage("POST", "/rooms/freeze", "room", room_page.freeze, "POST /v1/switches"),
    ConsolePage("POST", "/rooms/thaw/{id}", "room", room_page.thaw, "DELETE /v1/switches/{id}"),
    ConsolePage("GET", "/blocks", "blocks", blocks_page.form, "GET /v1/blocks", menu=True),
    ConsolePage("POST", "/blocks", "blocks", blocks_page.listed, "GET /v1/blocks"),
    ConsolePage("POST", "/blocks/new", "blocks", blocks_page.create, "POST /v1/blocks"),
    ConsolePage("POST", "/blocks/{id}/lift", "blocks", blocks_page.lift, "DELETE /v1/blocks/{id}"),
    ConsolePage("GET", "/lists", "word_lists", word_lists_page.listed, "GET /v1/lists", menu=True),
    ConsolePage("POST", "/lists/try", "word_lists", word_lists_page.attempt, "POST /v1/lists/{name}:try"),
    ConsolePage("POST", "/lists/draft", "word_lists", word_lists_page.draft, "POST /v1/lists/{name}:backtest"),
    ConsolePage("POST", "/lists/change", "word_lists", word_lists_page.change, "POST /v1/lists/{name}/words"),
    ConsolePage("GET", "/takedowns", "takedowns", takedowns_page.listed, "GET /v1/takedowns", menu=True),
    ConsolePage("GET", "/takedowns/{id}", "takedowns", takedowns_page.one, "GET /v1/takedowns/{id}"),
    ConsolePage("GET", "/people", "people", people_page.listed, "GET /v1/people", menu=True, later=True),
    ConsolePage("POST", "/people", "people", people_page.add, "POST /v1/people"),
    ConsolePage("POST", "/people/{name}/roles", "people", people_page.give_roles, "PUT /v1/people/{name}/roles"),
    ConsolePage("POST", "/people/{name}/password", "people", people_page.give_password, f"PUT {PERSON}/password"),
    ConsolePage("POST", "/people/{name}/log-out", "people", people_page.throw_out, f"DELETE {PERSON}/sessions"),
    ConsolePage("POST", "/people/{name}/remove", "people", people_page.remove, "DELETE /v1/people/{name}"),
    ConsolePage("GET", "/acts", "acts", acts_page.form, "GET /v1/acts", menu=True, later=True, start=Role.AUDITOR),
    ConsolePage("POST", "/acts", "acts", acts_page.listed, "GET /v1/acts"),
    ConsolePage("POST", "/acts/{act}/undo", "acts", acts_page.undo, "POST /v1/acts/{act}:undo"),
    ConsolePage(
        "GET", "/obligations", "obligations", obligations_page.obligations, "GET /v1/obligations", menu=True, later=True
    ),
    ConsolePage("GET", "/live", "live", live_page.live, "GET /v1/status", menu=True, later=True),
    ConsolePage("GET", "/live/figures", "live", live_page.figures, "GET /v1/status", quiet=True),
    ConsolePage("GET", "/node", "node", node_page.node, "GET /v1/status", menu=True, later=True, start=Role.ADMIN),
    ConsolePage("GET", "/own", "own", own_pages.own, "GET /v1/me/console"),
    ConsolePage("POST", "/own", "own", own_pages.change, "PUT /v1/me/console"),
    ConsolePage("POST", "/choose", "choose", own_pages.choose, "PUT /v1/me/console"),
    ConsolePage("GET", "/password", "password", own_pages.password, "PUT /v1/me/password"),
    ConsolePage("POST", "/password", "password", own_pages.change_password, "PUT /v1/me/password"),
    ConsolePage("POST", "/logout", "logout", own_pages.log_out, ME),
    ConsolePage("POST", "/logout-everywhere", "own", own_pages.log_out_everywhere, "DELETE /v1/me/sessions"),
)
