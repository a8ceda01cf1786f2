"""HAProxy: a bare reverse proxy, for comparison with the other bare one."""

from __future__ import annotations

import subprocess

from benchmarks.systems.system import Checks, Setting
from rig import process
from rig.ports import free_port

CONFIGURATION = """
global
    nbthread {workers}
    maxconn 4096
defaults
    mode http
    option http-keep-alive
    option forwardfor
    http-reuse always
    timeout connect 5s
    timeout client 600s
    timeout server 600s
    timeout http-keep-alive 600s
frontend gate
    bind 127.0.0.1:{port} backlog 4096
    default_backend platform
backend platform
    server platform 127.0.0.1:{upstream} pool-max-conn 256 pool-purge-delay 600s
"""


class Haproxy:
    """No check at all."""

    name = "HAProxy, bare"
    key = "haproxy"
    checks: Checks = "none"

    def __init__(self) -> None:
        self.port = free_port()
        self._haproxy: subprocess.Popen[bytes] | None = None

    def start(self, setting: Setting) -> None:
        path = setting.scratch / "haproxy.cfg"
        path.write_text(CONFIGURATION.format(workers=setting.workers, port=self.port, upstream=setting.upstream_port))
        log = path.with_suffix(".log")
        with log.open("wb") as out:
            self._haproxy = process.start(
                ["haproxy", "-db", "-f", str(path)], setting.cpus, stdout=out, stderr=subprocess.STDOUT
            )
        process.wait_for_port(self.port, self._haproxy, log)

    def gateway_pids(self) -> list[int]:
        assert self._haproxy is not None
        return process.children(self._haproxy.pid)

    def state_pids(self) -> list[int]:
        return []

    def other_pids(self) -> list[int]:
        return []

    def stop(self) -> None:
        if self._haproxy is not None:
            process.stop(self._haproxy)
