"""nginx: the upstream that answers at once, and the bare reverse proxy that everything is compared with."""

from __future__ import annotations

import subprocess
from pathlib import Path

from benchmarks.systems.system import Checks, Setting
from rig import process
from rig.ports import free_port, free_ports

UPSTREAM = """
worker_processes 1; daemon off; pid {scratch}/upstream.pid; error_log {scratch}/upstream.log crit;
events {{ worker_connections 16384; }}
http {{
    access_log off; keepalive_requests 100000000; keepalive_timeout 600s; client_body_temp_path {scratch}/upstream-body;
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        default_type application/json;
        location / {{ return 201 '{{"id":1}}'; }}
    }}
}}
"""

PROXY = """
worker_processes {workers}; daemon off; pid {scratch}/proxy.pid; error_log {scratch}/proxy.log crit;
events {{ worker_connections 32768; }}
http {{
    access_log off; keepalive_requests 100000000; keepalive_timeout 600s; client_body_temp_path {scratch}/proxy-body;
    proxy_temp_path {scratch}/proxy-temp;
    upstream platform {{ server 127.0.0.1:{upstream}; keepalive 256; keepalive_requests 100000000; }}
    server {{
        listen 127.0.0.1:{port} backlog=4096; {tls}
        location / {{
            proxy_pass http://platform; proxy_http_version 1.1; proxy_set_header Connection "";
            proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header Host $host;
        }}
        location /groups/ {{
            proxy_pass http://platform; proxy_http_version 1.1; proxy_read_timeout 600s; proxy_send_timeout 600s;
            proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";
            proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header Host $host;
        }}
    }}
}}
"""


def run(configuration: str, path: Path, port: int, cpus: str) -> subprocess.Popen[bytes]:
    """Start nginx with a configuration text kept at ``path``."""
    path.write_text(configuration)
    log = path.with_suffix(".start.log")
    nginx = process.start(["nginx", "-c", str(path), "-p", str(path.parent), "-e", str(log)], cpus)
    process.wait_for_port(port, nginx, log)
    return nginx


class Upstream:
    """The platform of the benchmark: 201 and a small JSON body, at once."""

    def __init__(self, scratch: Path, cpus: str) -> None:
        self.port = free_port()
        text = UPSTREAM.format(scratch=scratch, port=self.port)
        self._nginx = run(text, scratch / "upstream.conf", self.port, cpus)

    def stop(self) -> None:
        """Stop it."""
        process.stop(self._nginx)

    def pids(self) -> list[int]:
        """Its processes."""
        return process.children(self._nginx.pid)


class Direct:
    """No gateway at all: what the upstream answers by itself."""

    name = "direct, no gateway"
    key = "direct"
    checks: Checks = "none"

    def __init__(self, port: int) -> None:
        self.port = port

    def start(self, setting: Setting) -> None:
        """Nothing to start."""

    def gateway_pids(self) -> list[int]:
        return []

    def state_pids(self) -> list[int]:
        return []

    def other_pids(self) -> list[int]:
        return []

    def stop(self) -> None:
        """Nothing was started."""


class Nginx:
    """A bare reverse proxy: no check at all. ``pair``: certificate and key for a second port, ``tls_port``."""

    name = "nginx, bare"
    key = "nginx"
    checks: Checks = "none"

    def __init__(self, pair: tuple[Path, Path] | None = None) -> None:
        self.port, self.tls_port = free_ports(2)
        self._pair = pair
        self._nginx: subprocess.Popen[bytes] | None = None

    def start(self, setting: Setting) -> None:
        tls = "listen 127.0.0.1:{} ssl backlog=4096; ssl_certificate {}; ssl_certificate_key {};"
        text = PROXY.format(
            scratch=setting.scratch, port=self.port, upstream=setting.upstream_port, workers=setting.workers,
            tls=tls.format(self.tls_port, *self._pair) if self._pair else "",
        )  # fmt: skip
        self._nginx = run(text, setting.scratch / "proxy.conf", self.port, setting.cpus)

    def gateway_pids(self) -> list[int]:
        assert self._nginx is not None
        return process.children(self._nginx.pid)

    def state_pids(self) -> list[int]:
        return []

    def other_pids(self) -> list[int]:
        return []

    def stop(self) -> None:
        if self._nginx is not None:
            process.stop(self._nginx)
