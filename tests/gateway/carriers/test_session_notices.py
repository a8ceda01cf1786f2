"""What the sender of a socket's message is told: masked, refused, unreadable, unrecorded."""

from __future__ import annotations

import pytest

from gateway.common.units import Rate
from gateway.config.sections.sentences import Sentences
from gateway.generation import conversion
from gateway.http.server.shapes import AnswerShape, AnswerShapes
from gateway.websocket.frames import frame, masked_frame
from gateway.websocket.habits import Habits
from gateway.websocket.opcodes import BINARY, CONTINUATION, TEXT


async def test_a_masked_text_is_written_again_and_told(bench):
    client = bench.open()
    client.say("you idiot", more=1)
    bench.judge()
    assert client.contents() == ["you *****"]
    (notice,) = client.got()
    assert notice["type"] == "tidegate.verdict"
    assert (notice["verdict"], notice["reason"], notice["category"]) == ("mask", "keyword.match", "abuse")
    assert (notice["message_id"], notice["ground"]) == ("id-1", "agreement 3.3")
    assert notice["appeal"] == "https://p.example/appeal?message=id-1"
    assert bench.outcomes() == {"id-1": "delivered"}


async def test_a_refused_message_is_dropped_and_told(bench):
    client = bench.open()
    client.say("spam!")
    kept = client.say("fine")
    bench.judge()
    assert client.reached() == kept
    (notice,) = client.got()
    assert (notice["verdict"], notice["reason"], notice["message_id"]) == ("reject", "keyword.match", "id-1")
    assert bench.verdicts() == ["reject", "pass"]


async def test_only_watching_is_never_judged(bench):
    client = bench.open(sender="")
    shown = client.arrives(frame(TEXT, b'{"content":"for all"}'))
    assert client.transport.written == shown
    client.got()
    client.say("from nobody")
    (notice,) = client.got()
    assert (notice["verdict"], notice["reason"]) == ("reject", "sender.missing")
    assert notice["detail"] == "Log in first."  # what helps, not only that something failed
    assert not bench.state.waiting
    assert bench.metrics.refused_requests.values == {("chat", "sender.missing"): 1}


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (masked_frame(TEXT, b'{"type":'), "body.not_json"),
        (masked_frame(TEXT, b'{"type":"other"}'), "frame.unknown"),
        (masked_frame(TEXT, b'{"type":"message"}'), "text.missing"),
        (masked_frame(BINARY, b'{"type":"message","content":"x"}'), "frame.type"),
    ],
    ids=["not_json", "unknown", "missing", "type"],  # frames are masked anew in each process
)
async def test_what_cannot_be_read_is_dropped_and_told(bench, sent, reason):
    client = bench.open()
    client.send(sent)
    (notice,) = client.got()
    assert (notice["verdict"], notice["reason"]) == ("reject", reason)
    assert "message_id" not in notice
    assert client.reached() == b""
    kept = client.say("and the socket lives")
    bench.judge()
    assert client.reached() == kept


async def test_nothing_goes_up_that_is_not_recorded(bench):
    client = bench.open()
    client.say("hello")
    bench.journal.broken = True
    bench.judge()
    assert client.reached() == b""
    assert client.told() == [("reject", "journal.unavailable")]
    assert bench.journal.records == []


async def test_a_stale_mirror_refuses_and_records_without_asking_state(bench):
    fresh = [False]
    client = bench.open(bench.route(fresh=lambda: fresh[0]))
    client.say("a bullet")
    assert not bench.state.waiting
    bench.judge()
    (notice,) = client.got()
    assert (notice["verdict"], notice["reason"], notice["message_id"]) == ("reject", "mirror.unavailable", "id-1")
    assert notice["retry_after"] == 2
    (record,) = bench.journal.records
    assert (record["verdict"], record["findings"][0]["reason"]) == ("reject", "mirror.unavailable")
    fresh[0] = True
    kept = client.say("another")
    bench.judge()
    assert client.reached() == kept


async def test_notices_wait_for_the_end_of_a_message(bench):
    client = bench.open()
    first, last = frame(TEXT, b'{"a":', final=False), frame(CONTINUATION, b"1}")
    client.arrives(first + last[:1])
    client.say("spam")
    bench.judge()
    assert client.transport.written == first + last[:1]
    client.arrives(last[1:] + first)
    assert client.got()[0] == {"a": 1}
    client.arrives(last)
    assert client.got() == [{"a": 1}]


async def test_the_platforms_own_shape_tells_refusals_and_not_masks(bench):
    shapes = AnswerShapes(AnswerShape(200, {"cmd": "REFUSED", "msg": "{title}", "id": "{id}", "why": "{reason}"}))
    client = bench.open(bench.route(shapes=shapes))
    client.say("spam")
    client.say("idiot")
    bench.judge()
    refused, masked = client.got()
    assert refused == {"cmd": "REFUSED", "msg": "The text breaks the rules", "id": "id-1", "why": "keyword.match"}
    assert masked["verdict"] == "mask"


async def test_an_answer_repeats_the_number_of_what_it_answers(bench):
    shapes = AnswerShapes(AnswerShape(0, {"ref": "{json:/ref}", "why": "{reason}"}, verdicts=["reject", "mask"]))
    client = bench.open(bench.route(shapes=shapes))
    client.say("spam", ref=7)
    client.say("idiot", ref="x")
    bench.judge()
    assert client.got() == [{"ref": 7, "why": "keyword.match"}, {"ref": "x", "why": "keyword.match"}]


async def test_a_silent_shape_says_nothing(bench):
    client = bench.open(bench.route(shapes=AnswerShapes(AnswerShape(silent=True, verdicts=["reject", "mask", "mute"]))))
    client.say("spam")
    client.say("idiot")
    bench.judge()
    assert client.got() == []


@pytest.mark.parametrize(
    ("accept", "language", "title"),
    [
        (b"zh-CN,zh;q=0.9", None, "文字内容不符合规定"),
        (b"en", None, "The text breaks the rules"),
        (b"", None, "The text breaks the rules"),
        (b"en", "zh", "文字内容不符合规定"),
    ],
)
async def test_notices_speak_the_language_of_the_handshake_or_of_the_route(bench, accept, language, title):
    bench.sockets.sentences = conversion.sentences(Sentences())
    client = bench.open(bench.route(language=language), accept=accept)
    client.say("spam!")
    bench.judge()
    (notice,) = client.got()
    assert (notice["reason"], notice["title"]) == ("keyword.match", title)


async def test_a_mute_and_its_end_are_told_in_it(bench):
    bench.sockets.sentences = conversion.sentences(Sentences(language="zh"))
    client = bench.open(bench.route(habits=Habits(mute_after=Rate(2, 60.0), mute_for=10.0)))
    for text in ("spam one", "spam two"):
        client.say(text)
        bench.judge()
    mute = client.got()[-1]
    assert (mute["verdict"], mute["title"], mute["ground"]) == ("mute", "您已被禁言", "本次连接中的消息多次被拒绝发布")
    bench.advance(11)
    (unmute,) = client.got()
    assert (unmute["verdict"], unmute["reason"], unmute["title"]) == ("unmute", "socket.muted", "您可以继续发言了")
