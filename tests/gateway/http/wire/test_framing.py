"""Bodies: decoded alike whole, byte by byte and cut anywhere."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.http.wire.errors import HTTPError
from gateway.http.wire.framing import (
    SMALL,
    ChunkedDecoder,
    LengthDecoder,
    UntilCloseDecoder,
    decoder_for,
    encode_chunk,
)
from gateway.http.wire.head import CHUNKED, UNTIL_CLOSE


def fed(decoder: ChunkedDecoder | LengthDecoder, pieces: list[bytes]) -> tuple[bytes, bytes]:
    """The body and what followed it."""
    body = b""
    for at, piece in enumerate(pieces):
        body += decoder.feed(piece)
        if decoder.done:
            return body, decoder.rest + b"".join(pieces[at + 1 :])
    return body, b""


def cut(text: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(text), *(c % (len(text) + 1) for c in cuts)})
    return [text[a:b] for a, b in pairwise(places)]


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=6), st.binary(max_size=20), st.lists(st.integers(0, 500)))
def test_chunks_decode_alike_however_they_are_cut(chunks: list[bytes], rest: bytes, cuts: list[int]) -> None:
    text = b"".join(map(encode_chunk, chunks)) + b"0\r\n\r\n" + rest
    assert fed(ChunkedDecoder(), [text]) == (b"".join(chunks), rest)
    assert fed(ChunkedDecoder(), cut(text, cuts)) == (b"".join(chunks), rest)
    assert fed(ChunkedDecoder(), [bytes((b,)) for b in text]) == (b"".join(chunks), rest)


@given(st.binary(max_size=60), st.binary(max_size=20), st.lists(st.integers(0, 100)))
def test_a_length_decodes_alike_however_it_is_cut(body: bytes, rest: bytes, cuts: list[int]) -> None:
    decoder = decoder_for(len(body))
    assert isinstance(decoder, LengthDecoder)
    if body:
        assert fed(decoder, cut(body + rest, cuts)) == (body, rest)
    else:
        assert decoder.done


BROKEN = [
    (b"\r\n", "body.chunk_size"),
    (b"g\r\n", "body.chunk_size"),
    (b"0x5\r\n", "body.chunk_size"),
    (b"+5\r\n", "body.chunk_size"),
    (b"-5\r\n", "body.chunk_size"),
    (b" 5\r\n", "body.chunk_size"),
    (b"5 \r\n", "body.chunk_size"),
    (b"5_0\r\n", "body.chunk_size"),
    (b"5\n", "body.chunk_size"),
    (b"5\n12345\r\n", "body.chunk_size"),
    (b"5\r12345\r\n0\r\n\r\n", "body.chunk_size"),
    (b"ffffffffffffffff\r\n", "body.chunk_size"),
    (b"5 5\r\n", "body.chunk_size"),
    (b"5\r\n12345\n0\r\n\r\n", "body.chunk_end"),
    (b"5\r\n123456\r\n", "body.chunk_end"),
    (b"5\r\n12345\rX", "body.chunk_end"),
    (b"5;" + b"a" * 300 + b"\r\n", "body.chunk_extension"),
    (b"5;a\x00\r\n", "body.chunk_extension"),
    (b"0\r\nX : a\r\n\r\n", "body.trailer_fields"),
    (b"0\r\nX: a\r\n b\r\n\r\n", "body.trailer_fields"),
    (b"0\r\nX: \x00\r\n\r\n", "body.trailer_fields"),
    (b"0\r\nX: " + b"a" * 5000 + b"\r\n\r\n", "body.trailer_fields"),
    (b"0\r\n" + b"X: a\r\n" * 1000 + b"\r\n", "body.trailer_fields"),
    (b"1;" + b"a" * 200 + b"\r\nx\r\n" + (b"1;" + b"a" * 200 + b"\r\nx\r\n") * 30, "body.chunk_extension"),
]


@pytest.mark.parametrize(("text", "reason"), BROKEN)
@pytest.mark.parametrize("step", [1, 3, 100000])
def test_a_broken_chunk_is_refused_however_it_is_cut(text: bytes, reason: str, step: int) -> None:
    decoder = ChunkedDecoder()
    # A line that never ends is refused by the bound, whatever its first character.
    text = text + b"z" * 5000 if b"\r\n" not in text else text
    with pytest.raises(HTTPError) as caught:
        for at in range(0, len(text), step):
            decoder.feed(text[at : at + step])
    assert caught.value.reason in ({reason, "body.chunk_extension"} if reason == "body.chunk_size" else {reason})


def test_trailers_are_kept_apart() -> None:
    decoder = ChunkedDecoder()
    assert decoder.feed(b"3;a=b\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\nGET") == b"abc"
    assert (decoder.trailers, decoder.rest, decoder.done) == ([b"X-Sum: 1"], b"GET", True)


def test_a_body_that_ends_early_is_no_body() -> None:
    for decoder in (LengthDecoder(3), ChunkedDecoder()):
        with pytest.raises(HTTPError, match=r"body\.cut_off"):
            decoder.close()
    until_close = decoder_for(UNTIL_CLOSE)
    assert isinstance(until_close, UntilCloseDecoder)
    assert until_close.feed(b"abc") == b"abc"
    assert not until_close.done
    until_close.close()
    assert until_close.done
    assert isinstance(decoder_for(CHUNKED), ChunkedDecoder)


@given(st.binary(max_size=200), st.lists(st.integers(0, 200)))
def test_any_bytes_end_alike_however_they_are_cut(text: bytes, cuts: list[int]) -> None:
    def outcome(pieces: list[bytes]) -> tuple[bytes, bytes] | str:
        try:
            return fed(ChunkedDecoder(), pieces)
        except HTTPError:
            return "refused"

    whole, parts = outcome([text]), outcome(cut(text, cuts))
    assert whole == parts


@given(
    st.lists(st.binary(min_size=1, max_size=70), max_size=20), st.binary(max_size=10), st.integers(1, 5),
    st.lists(st.integers(1, 40), max_size=6),
)  # fmt: skip
def test_a_decoder_that_stops_reads_the_same(chunks: list[bytes], rest: bytes, most: int, cuts: list[int]) -> None:
    text = b"".join(encode_chunk(chunk) for chunk in (*chunks, b"")) + rest
    edges = sorted({0, *[cut for cut in cuts if cut < len(text) - len(rest)], len(text)})
    decoder = decoder_for(CHUNKED, most)
    assert isinstance(decoder, ChunkedDecoder)
    body = b""
    for a, b in pairwise(edges):
        before = decoder.chunks
        body += decoder.feed(text[a:b])
        assert decoder.chunks - before <= most
        while decoder.more:
            body += decoder.feed(b"")
    assert (decoder.done, body, decoder.rest) == (True, b"".join(chunks), rest)
    assert decoder.small == sum(len(chunk) < SMALL for chunk in chunks)
