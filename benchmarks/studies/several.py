"""``python -m benchmarks.studies.several``: two nodes on one state server, and where that server ends.

Rounds in turn: comments as fast as they are carried to one of the two nodes, then to both at once. Told of each:
messages a second, and processor time a message of workers, controls and state. State is one thread: what a message
costs it says how many it can answer, whoever asks. With few processors load, platform, nodes and state share them, so
that messages a second are the machine's; the state server's ceiling, from its own processor time, is not.

    python -m benchmarks.studies.several --rounds 10 --seconds 10 > benchmarks/record/several/DATE.json
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from benchmarks.load import load
from benchmarks.measuring import bench
from benchmarks.systems.system import Setting
from benchmarks.systems.tidegate import COMPILED_WITHIN, Tidegate
from gateway.state.cold.embedded import binary
from rig import machine, node, process
from rig.configuration import CONFIGURATION
from rig.ports import free_port
from rig.postgresql import Postgres

CONNECTIONS: Final = 32  # to each node
SHARED: Final = """
[state]
url = "redis://127.0.0.1:{state}"
deadline = "1s"
"""


class OneOfSeveral(Tidegate):
    """A node of a database and a state server that others have too."""

    def __init__(self, number: int, database: str, state: int) -> None:
        super().__init__(key=f"node-{number}")
        self._number = number
        self._database = database
        self._state = state

    def start(self, setting: Setting) -> None:
        self.data = setting.scratch / self.key
        self.data.mkdir()
        text = CONFIGURATION.format(
            port=self.port, control=self.control, upstream=setting.upstream_port, workers=1,
            lists=f'[lists.words]\npath = "{setting.words}"', rules=",\n  ".join(setting.rules),
        )  # fmt: skip
        head, _, rest = text.partition("[server]")
        assert "[state]" in head, "the state server is said at the beginning"
        text = f"{SHARED.format(state=self._state)}[server]\nnode = {self._number}\n{rest}"
        self.configuration = self.data / "tidegate.toml"
        self.configuration.write_text(
            text.replace("[control]", f'[control]\ndatabase = "{self._database}"'), encoding="utf-8"
        )
        argv = [sys.executable, "-m", "gateway", "run", "--config", str(self.configuration)]
        log = (self.data / "run.log").open("wb")
        self._run = process.start(
            [*argv, "--data-dir", str(self.data)], setting.others_cpus, stdout=subprocess.PIPE, stderr=log
        )
        if not node.wait_until_ready(self._run, COMPILED_WITHIN, self.data):
            raise RuntimeError("a node did not start:\n" + self.log(40))
        for pid in self.gateway_pids():
            process.pin(pid, setting.cpus)
        if self._number == 1:  # what one does is in force on both
            self._introduce(setting.people)

    def control_pids(self) -> list[int]:
        """Its control."""
        return [pid for name, pid in node.children(self.data).items() if name == "control"]


def round_of(nodes: Sequence[OneOfSeveral], pids: dict[str, list[int]], where: str, seconds: float, seed: int) -> Any:
    """One round: all of these nodes at once. Raises RuntimeError where a request was not answered as usual."""
    before = {name: process.cpu_seconds(of) for name, of in pids.items()}
    with ThreadPoolExecutor(len(nodes)) as threads:
        told = list(
            threads.map(
                lambda one: load.wrk(one[1].port, connections=CONNECTIONS, seconds=seconds, cpus=where, seed=one[0]),
                enumerate(nodes, seed),
            )
        )
    if any(one["errors"] for one in told):
        raise RuntimeError(f"{[one['errors'] for one in told]} requests were not answered with 201")
    messages = sum(one["requests"] for one in told)
    spent = {name: process.cpu_seconds(of) - before[name] for name, of in pids.items()}
    return {
        "nodes": len(nodes),
        "messages_a_second": round(messages / max(one["seconds"] for one in told)),
        "cpu_us_a_message": {name: round(one / messages * 1e6, 2) for name, one in spent.items()},
        "state_busy": round(spent["state"] / max(one["seconds"] for one in told), 3),
    }


def summed(rounds: Sequence[Any], nodes: int) -> dict[str, Any]:
    """Median, lowest and highest of the rounds with so many nodes. ``ceiling``: messages a second at which the state
    server's one thread is full."""
    mine = [one for one in rounds if one["nodes"] == nodes]
    rates = [one["messages_a_second"] for one in mine]
    ceilings = [round(1e6 / one["cpu_us_a_message"]["state"]) for one in mine]
    return {"nodes": nodes, "messages_a_second": _spread(rates), "ceiling": _spread(ceilings)}


def _spread(of: Sequence[float]) -> dict[str, float]:
    return {"median": statistics.median(of), "lowest": min(of), "highest": max(of)}


def measured(rounds: int, seconds: float) -> list[Any]:
    """All rounds, in turn."""
    with bench.opened() as place, Postgres() as database:
        setting = place.setting
        database.create("gate")
        port = free_port()
        state = process.start(
            [binary(), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(setting.scratch)],
            setting.others_cpus, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        nodes = [OneOfSeveral(number, database.url("gate"), port) for number in (1, 2)]
        try:
            process.wait_for_port(port, state)
            for one in nodes:
                one.start(setting)
            pids = {
                "workers": [pid for one in nodes for pid in one.gateway_pids()],
                "controls": [pid for one in nodes for pid in one.control_pids()],
                "state": [state.pid],
            }
            found: list[Any] = []
            for number in range(rounds + 1):
                for several in (nodes[number % 2 : number % 2 + 1], nodes):
                    told = round_of(several, pids, setting.others_cpus, seconds, 2 * number + 1)
                    if number:  # the first warms
                        found.append(told)
                    print(json.dumps(told), file=sys.stderr)
            return found
        finally:
            for one in nodes:
                one.stop()
            process.stop(state)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.studies.several")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=10.0, help="of each round's load")
    options = parser.parse_args()
    rounds = measured(options.rounds, options.seconds)
    told = {"machine": machine.describe(), "summed": [summed(rounds, nodes) for nodes in (1, 2)], "rounds": rounds}
    json.dump(told, sys.stdout, ensure_ascii=False, indent=1)
    print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
