"""A change of primaries is told once, and what nobody can tell is no change."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from gateway.state.cold.primary_watch import ClusterView, PrimaryWatch
from gateway.state.model.settings import Address


def at(*ports: int) -> frozenset[Address]:
    return frozenset(Address(host="10.0.0.1", port=port) for port in ports)


class View:
    def __init__(self) -> None:
        self.now: frozenset[Address] | None = at(1)
        self.closed = False

    async def primaries(self) -> frozenset[Address]:
        if self.now is None:
            raise ConnectionError("nobody knows")
        return self.now

    async def close(self) -> None:
        self.closed = True


async def test_only_a_change_is_told() -> None:
    view, told = View(), []

    async def moved(primaries: frozenset[Address]) -> None:
        told.append(primaries)

    watch = PrimaryWatch(view, moved)
    for now in (at(1), at(1), None, at(1), at(2), None, at(2), at(1)):
        view.now = now
        await watch.look()
    assert told == [at(2), at(1)]
    await watch.close()
    assert view.closed


async def test_it_asks_again_and_again(eventually: Callable[..., Awaitable[Any]]) -> None:
    view, told = View(), []

    async def moved(primaries: frozenset[Address]) -> None:
        told.append(primaries)

    watch = PrimaryWatch(view, moved, every=0.001)
    watch.start()
    view.now = at(1)
    await eventually(lambda: watch._known == at(1))
    view.now = at(2)
    await eventually(lambda: told)
    await watch.close()


class Node:
    """One node of a cluster as a client sees it."""

    def __init__(self, state: str = "ok", owners: frozenset[Address] = frozenset(), *, gone: bool = False) -> None:
        self.state = state
        self.owners = owners
        self.gone = gone
        self.asked = 0

    async def execute_command(self, *words: str) -> Any:
        assert words == ("CLUSTER INFO",)
        self.asked += 1
        if self.gone:
            raise ConnectionError
        return f"cluster_state:{self.state}\r\ncluster_size:2\r\n".encode()

    async def aclose(self) -> None:
        pass


async def test_a_node_that_does_not_see_the_cluster_whole_is_not_believed() -> None:
    nodes = {one: Node() for one in at(1, 2, 3)}
    first, second, third = sorted(nodes, key=str)

    async def slots(address: Address, client: Any) -> list[tuple[int, int, Address]]:
        return [(0, 1, owner) for owner in client.owners]

    view = ClusterView(first, lambda address: nodes[address], slots)  # type: ignore[arg-type,return-value]
    nodes[first].owners = frozenset((first, second))
    assert await view.primaries() == {first, second}
    assert await view.primaries() == {first, second}
    nodes[first].gone = True
    nodes[second].owners = frozenset((second, third))
    assert await view.primaries() == {second, third}
    nodes[second].state = nodes[third].state = "fail"  # in a part that is cut off
    with pytest.raises(ConnectionError, match="sees it whole"):
        await view.primaries()
    nodes[third] = Node(owners=frozenset((third,)))
    assert await view.primaries() == {third}
    await view.close()
