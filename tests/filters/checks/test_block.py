"""Blocks of every scope, and what a stand-in tells while state is away."""

from filters.checks import block
from filters.model.verdict import Block, Facts
from tests.filters.checks.finding import found


def test_blocks_of_every_scope() -> None:
    blocks = (Block("sender", "spam"), Block("ip", "flood", 99, True, 3.5))
    assert found("block", block.Options(), Facts(blocks=blocks)) == ["block.sender", "block.ip"]
    assert found("block", block.Options(), Facts()) == []


def test_a_block_told_by_a_stand_in_counts_while_the_rest_is_missing() -> None:
    missing = {"blocks": "state.deadline"}
    assert found("block", block.Options(), Facts(missing=missing)) == "state.deadline"
    assert found("block", block.Options(), Facts(blocks=(Block("sender", "x"),), missing=missing)) == ["block.sender"]
