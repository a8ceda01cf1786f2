"""The data that the Lua peer is given: read here as its Lua reads them."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.systems import nginx_lua
from filters.text.folding import folder
from filters.text.tables import WORDS
from gateway.state.model.keys import Keys
from gateway.words.files import folding_tables


@pytest.fixture(scope="module")
def words() -> tuple[int, ...]:
    data = nginx_lua.folding_file()
    return struct.unpack(f"<{len(data) // 4}i", data)


def _fold(words: tuple[int, ...], text: str) -> str:
    """``folding.lua``, line by line."""
    limit = words[0]
    several = 1 + limit
    out: list[str] = []
    for character in text:
        code = ord(character)
        entry = words[1 + code] if code < limit else 0
        if entry < 0:
            start = several - 1 - entry
            codes = words[start + 1 : start + 1 + words[start]]
        else:
            codes = (entry,) if entry else ()
        for folded in map(chr, codes):
            if not out or out[-1] != folded:
                out.append(folded)
    return "".join(out)


# Symbols that hold letters or digits are read in two ways by the gateway, which the peer's table cannot.
@given(st.text(st.sampled_from("天氣网路ＡＢｃ123４５\u200b\u202e-．🙂ﷺfooＯＯ赌博乾繐é")))
def test_the_peer_folds_as_the_gateway_does(words: tuple[int, ...], text: str) -> None:
    assert _fold(words, text) == folder(folding_tables(), WORDS).text(text)


def test_every_folded_character_has_its_place(words: tuple[int, ...]) -> None:
    limit = words[0]
    assert all(entry < limit for entry in words[1 : 1 + limit])


def test_the_plan_names_the_keys_of_one_message_in_order() -> None:
    told = nginx_lua.plan("/run/state.sock", msetex=True)
    keys = Keys()
    sender, ip, room = told["pieces"]
    assert [piece["field"] for piece in told["pieces"]] == ["sender", "ip", "room"]
    assert sender["keys"][:2] == [keys.account(1, "<sender>"), keys.block(1, "sender", "<sender>")]
    assert ip["keys"][0] == keys.block(1, "ip", "<ip>")
    assert room["keys"][0] == keys.block(1, "room", "<room>")
    # The plan's first number is how many keys a message has: the pieces' and the repeat's.
    assert bytes.fromhex(told["plan"])[2] == sum(len(piece["keys"]) for piece in told["pieces"]) + 1
    assert told["epoch_key"] == keys.epoch
