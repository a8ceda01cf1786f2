"""Another node reads this one's journal: with a token of its own scope, on record, and nothing but what is ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gateway.control.journals.journal_readers import MAX_AT_ONCE, JournalReaders
from gateway.journal.write.segments import COPIED
from gateway.replicas.copying.fetched import MEDIA_TYPE, JournalFetched, decoded
from tests.gateway.replicas.copying.origin import Origin

PATH = "/v1/journal:fetch"
ASKED: dict[str, Any] = {"node": 2, "folders": {}}


async def machine(api: Any, *scopes: str) -> str:
    body = {"name": f"n{len(scopes)}-{'-'.join(scopes).replace(':', '.')}", "scopes": list(scopes), "reason": "r"}
    made = await api("POST", "/v1/tokens", json=body)
    assert api.status == 200, made
    return str(made["result"]["token"])


async def fetched(api: Any, token: str, asked: dict[str, Any]) -> JournalFetched:
    headers = {"Authorization": f"Bearer {token}"}
    async with api.session.post(api.url + PATH, headers=headers, json=asked) as answer:
        assert (answer.status, answer.content_type) == (200, MEDIA_TYPE), await answer.text()
        return decoded(await answer.read())


async def test_only_a_machine_with_the_scope_reads(api: Any) -> None:
    answer = await api("POST", PATH, json=ASKED)
    assert (api.status, answer["reason"]) == (403, "control.machines_only")
    answer = await api("POST", PATH, json=ASKED, token=await machine(api, "accounts:read"))
    assert (api.status, answer["reason"]) == (403, "control.scope_refused")
    token = await machine(api, "journal:read")
    answer = await api("POST", PATH, json=ASKED | {"node": 1}, token=token)
    assert (api.status, answer["reason"]) == (409, "control.same_node")
    place = {"segment": "s", "offset": 0, "before": ""}
    for wrong in (
        {"node": -1}, {"most": 1 << 30}, {"wait": 60}, {"folders": {"0": [{"segment": "x"}]}}, {"more": 1},
        {"folders": {"0": [place] * 17}}, {"folders": {str(n): [] for n in range(301)}},
    ):  # fmt: skip
        answer = await api("POST", PATH, json=ASKED | wrong, token=token)
        assert (api.status, answer["reason"]) == (400, "control.invalid"), wrong
    assert [one for one in (await api.plant.recorded()) if one.get("kind") == "journal.replicate"] == []


async def test_what_this_node_wrote_is_given_and_nothing_else(api: Any) -> None:
    root: Path = api.plant.folder / "records"
    ours, theirs, desk = Origin(root, "0"), Origin(root, "0"), Origin(root, "query")
    ours.folder, theirs.folder, desk.folder = root / "node-1" / "0", root / "node-3" / "0", root / "desk" / "query"
    for one, text in ((ours, "mine"), (theirs, "not mine"), (desk, "asked")):
        one.write([text])
    (root / "node-3" / COPIED).touch()
    (root / "node-1" / "0~1").mkdir()
    token = await machine(api, "journal:read")
    told = await fetched(api, token, ASKED)
    assert (told.node, told.complete, told.behind, told.differing) == (1, True, 0, ())
    assert sorted(piece.folder for piece in told.pieces) == ["0", "desk-query"]
    assert all(b"not mine" not in piece.data for piece in told.pieces)
    # A name that leads elsewhere leads nowhere: folders are found, and never asked for by name.
    odd = {"folders": {"../node-3/0": [{"segment": "../x", "offset": 9, "before": ""}]}}
    assert len((await fetched(api, token, ASKED | odd)).pieces) == 2
    for _ in range(2):
        await fetched(api, token, ASKED)
    await fetched(api, token, ASKED | {"node": 3})
    acts = [one for one in (await api.plant.recorded()) if one.get("kind") == "journal.replicate"]
    assert [(act["person"], act["token"], act["subject"]) for act in acts] == [
        ("admin", "n1-journal.read", "node 1")
    ] * 2  # once for each node that asks
    for one in (ours, theirs, desk):
        one.stop()


async def test_it_waits_for_what_comes(api: Any) -> None:
    ours = Origin(api.plant.folder / "records", "0")
    ours.folder = api.plant.folder / "records" / "node-1" / "0"
    token = await machine(api, "journal:read")
    assert (await fetched(api, token, ASKED | {"wait": 0.2})).pieces == ()
    readers: JournalReaders = api.plant.services.of(JournalReaders)
    looked = readers._offering.collect
    times = 0

    def counted(*asked: Any) -> JournalFetched:
        nonlocal times
        times += 1
        if times == 3:
            ours.write(["late"])
        return looked(*asked)

    readers._offering.collect = counted  # type: ignore[method-assign]
    told = await fetched(api, token, ASKED | {"wait": 5})
    assert (len(told.pieces), times) == (1, 3)
    readers._at_once = MAX_AT_ONCE
    answer = await api("POST", PATH, json=ASKED, token=token)
    assert (api.status, answer["reason"]) == (503, "control.busy")
    ours.stop()
