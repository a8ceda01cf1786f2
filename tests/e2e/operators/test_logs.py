"""A node's log as an operator's collector reads it: one stream, each line a JSON object with the same keys."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from gateway.common import channel
from gateway.common.folders import Folders
from gateway.logs.logs import COMMON, LONGEST
from rig.ports import free_port
from tests.e2e.lab import write_config
from tests.e2e.node import START_WITHIN, Node, kill
from tests.e2e.upstream import serve

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"
SECRET = "13800138000"
MORE = """
[logs]
access = true
[[routes]]
name = "pages"
match = "GET /people/{name}"
upstream = "platform"
"""


async def ready(folders: Folders) -> None:
    """Until the supervisor says that everything answers."""
    async with asyncio.timeout(START_WITHIN):
        while True:
            with contextlib.suppress(OSError, channel.ChannelError):
                if (await channel.call(folders.supervisor_socket, {"command": "status"}, timeout=5.0))["ready"]:
                    return
            await asyncio.sleep(0.02)


def parsed(output: bytes) -> list[dict[str, Any]]:
    """Every line of a node's two streams together."""
    lines = []
    for line in output.splitlines():
        assert len(line) < LONGEST
        told = json.loads(line)
        assert tuple(told)[: len(COMMON)] == COMMON, line
        assert datetime.fromisoformat(told["ts"]).utcoffset() is not None
        assert told["level"] in ("debug", "info", "warning", "error", "critical")
        assert (told["node"], bool(told["process"])) == (7, True), line
        lines.append(told)
    return lines


async def test_all_that_a_node_says_is_one_stream_of_json(tmp_path: Path) -> None:
    """Start, traffic, deaths, reloads that go well and badly, stop: with output and error in one pipe."""
    ports = free_port(), free_port()
    async with serve() as upstream:
        config = write_config(
            tmp_path, ports, upstream.port, workers=2, server="node = 7\ntraces = true", more=MORE
        )  # fmt: skip
        argv = ["-m", "gateway", "run", "--config", str(config), "--data-dir", str(tmp_path / "data")]
        process = await asyncio.create_subprocess_exec(
            sys.executable, *argv, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        assert process.stdout is not None
        reading = asyncio.create_task(process.stdout.read())
        node = Node(tmp_path / "data", "run", port=ports[0], control_port=ports[1])
        try:
            await ready(node.folders)
            await node.manage("PUT", "/v1/accounts/alice", {"verified": True, "reason": "papers"})
            passed = await node.say("alice", f"my number is {SECRET}", traceparent=PARENT)
            assert passed.status == 201, passed
            refused = await node.say("alice", f"代开发票 {SECRET}")
            assert refused.status == 403, refused
            await node.ask(SECRET, f"/{SECRET}")  # a method is what a client writes, and may be long
            await node.ask(SECRET * 300, "/")
            assert (await node.ask("GET", f"/{SECRET}", headers={"Bad Name": SECRET})).status == 400
            assert (await node.manage("POST", f"/v1/nothing/{SECRET}", {})).status == 404
            page = await node.ask("GET", f"/people/{SECRET}", headers={"traceparent": "x", "tracestate": "a=1"})
            assert page.status == 201
            assert upstream.received[-1].headers["traceparent"].startswith("00-")
            assert "tracestate" not in upstream.received[-1].headers
            good = config.read_text(encoding="utf-8")
            config.write_text(good + "nonsense", encoding="utf-8")
            assert (await node.manage("POST", "/v1/reload", {"reason": "test"})).status == 202
            assert await node.metric("tidegate_config_last_reload_successful") == 0
            config.write_text(good, encoding="utf-8")
            assert (await node.manage("POST", "/v1/reload", {"reason": "test"})).status == 200
            assert await node.metric("tidegate_config_last_reload_successful") == 1
            assert await node.metric("tidegate_config_reloads_total", result="refused") == 1
            assert await node.metric("tidegate_relayed_requests_total", route="pages", status="2xx") == 1
            assert await node.metric("tidegate_process_cpu_seconds_total", process="worker-0") > 0
            assert await node.metric("tidegate_access_lines_dropped_total") == 0
            killed = {name: pid for name, pid in (await node.pids("")).items() if name in ("worker-0", "state")}
            for pid in killed.values():
                kill(pid)
            async with asyncio.timeout(60):
                while not killed.keys() <= (now := await node.pids("")).keys() or now.items() & killed.items():
                    await asyncio.sleep(0.02)
        finally:
            process.send_signal(signal.SIGTERM)
            output = await asyncio.wait_for(reading, 90)
            await process.wait()
    lines = parsed(output)
    assert {line["event"] for line in lines} >= {
        "ready", "child.started", "worker.serving", "reload.refused", "reload.done", "child.died", "stopping"
    }  # fmt: skip
    assert {line["process"] for line in lines} >= {"supervisor", "control", "worker-0", "worker-1", "state"}
    assert SECRET not in output.decode()
    assert "alice" not in output.decode()
    access = [line for line in lines if line["event"] == "access"]
    assert "/v1/reload" in {line["path"] for line in access if line["process"] == "control"}
    assert [line["method"] for line in access if line["process"] != "control"].count("other") == 2
    assert [(line["status"], line["reason"]) for line in access if line["method"] == ""] == [
        (400, "head.field_name")
    ]  # fmt: skip
    assert (404, "control.unknown_path") in {(line["status"], line["reason"]) for line in access}
    judged = {line["message_id"]: line for line in access if line["route"] == "comments"}
    assert {line["path"] for line in judged.values()} == {"/api/articles/{room}/comments"}
    assert {identity: line["status"] for identity, line in judged.items()} == {
        passed.headers["tidegate-message-id"]: 201, refused.json()["message_id"]: 403
    }  # fmt: skip
    assert {line["status"]: line["reason"] for line in judged.values()} == {201: "", 403: "keyword.match"}
    assert judged[passed.headers["tidegate-message-id"]]["trace_id"] == TRACE
    # Log, record and platform know a request's trace by the same name, refused or not.
    traces = {record["id"]: record["trace"] for record in node.records() if record["kind"] == "judged"}
    assert {identity: line["trace_id"] for identity, line in judged.items()} == traces
    assert all(len(trace) == 32 for trace in traces.values())
    (relayed,) = [line for line in access if line["route"] == "pages"]
    assert (relayed["path"], relayed["status"], relayed["message_id"]) == ("/people/{name}", 201, "")
    assert relayed["trace_id"] == upstream.received[-1].headers["traceparent"].split("-")[1]


async def test_a_start_that_fails_is_a_line_too(tmp_path: Path) -> None:
    config = write_config(tmp_path, (free_port(), free_port()), 9, server="node = 7\nworkerz = 2")
    argv = ["-m", "gateway", "run", "--config", str(config), "--data-dir", str(tmp_path / "data")]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *argv, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 1
    (line,) = [json.loads(each) for each in output.splitlines()]
    assert (line["event"], line["level"], line["node"]) == ("node.refused", "critical", None)
    assert any("workerz" in problem for problem in line["problems"])
