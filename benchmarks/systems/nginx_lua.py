"""nginx + Lua, written as an expert would: the same checks, the same script on the same kind of Valkey, a log line.

The Lua is in ``lua/``. Here its data are made: the folding of every single character from the measured gateway's own
tables, and the plan of its script with the names of its keys.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import struct
import subprocess
from hashlib import sha1
from pathlib import Path
from typing import Any

from benchmarks.systems import nginx, valkey
from benchmarks.systems.system import Checks, Setting
from filters.model.limits import parse_limit
from filters.model.message import Message
from filters.model.rule import Asks, Repeat
from filters.model.verdict import Scan
from filters.text.folding import folder
from filters.text.tables import WORDS
from gateway.state.cold.governance_projection import account_value
from gateway.state.hot.plan import Plan
from gateway.state.hot.scripts import ADMIT
from gateway.state.hot.state_client import GREETING, knows_msetex
from gateway.state.model.keys import Keys
from gateway.words.files import folding_tables
from rig import process, rules
from rig.ports import free_port

LUA = Path(__file__).with_name("lua")
MODULES = Path("/usr/lib/nginx/modules")
EPOCH = 1
ROUTE = "article-comments"
REPEATS = 3
PLANES = 0x40000  # code points beyond carry no letters
MARK = bytes(range(8))

CONFIGURATION = """
load_module {modules}/ndk_http_module.so; load_module {modules}/ngx_http_lua_module.so;
{user}worker_processes {workers}; daemon off; pid {scratch}/gate.pid; error_log {scratch}/gate.log error; pcre_jit on;
events {{ worker_connections 32768; }}
http {{
    keepalive_requests 100000000; keepalive_timeout 600s; client_body_temp_path {scratch}/body;
    proxy_temp_path {scratch}/temp;
    lua_package_path "{lua}/?.lua;;"; lua_socket_log_errors off; lua_socket_pool_size 256;
    lua_socket_connect_timeout 1s; lua_socket_read_timeout 1s; lua_socket_send_timeout 1s;
    init_by_lua_block {{ require "resty.core"; require("gate").setup("{scratch}", {credit}, {repeats}) }}
    log_format record escape=json '{{"id":"$request_id","time":$msec,"sender":"$http_x_user_id","room":"$room",'
        '"ip":"$remote_addr","text":"$text","verdict":"$verdict","label":"$label","status":$status}}';
    upstream platform {{ server 127.0.0.1:{upstream}; keepalive 256; keepalive_requests 100000000; }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location ~ ^/api/articles/(?<room>[^/]+)/comments$ {{
            client_body_buffer_size 16k; client_max_body_size 64k; client_body_in_single_buffer on;
            set $text ""; set $verdict "pass"; set $label "";
            access_by_lua_block {{ require("gate").comment() }}
            access_log {scratch}/records.log record buffer=64k flush=1s;
            proxy_pass http://platform; proxy_http_version 1.1; proxy_set_header Connection "";
            proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header Host $host;
            proxy_set_header Message-Id $request_id; proxy_set_header Label $label;
            add_header Message-Id $request_id;
        }}
    }}
}}
"""


def folding_file() -> bytes:
    """What ``lua/folding.lua`` reads: every character of the first four planes, folded alone as word lists fold.

    No folding leaves those planes: the Lua side uses folded characters as places in arrays of their size.
    """
    single = folder(folding_tables(), WORDS).single
    entries: list[int] = []
    several: list[int] = []
    places: dict[str, int] = {}
    for code in range(PLANES):
        folded = single(chr(code))
        assert all(ord(part) < PLANES for part in folded)
        if len(folded) <= 1:
            entries.append(ord(folded) if folded else 0)
            continue
        if folded not in places:
            places[folded] = len(several)
            several += [len(folded), *map(ord, folded)]
        entries.append(-1 - places[folded])
    return struct.pack(f"<{1 + len(entries) + len(several)}i", len(entries), *entries, *several)


def plan(socket: str, msetex: bool) -> dict[str, Any]:
    """What ``lua/state.lua`` reads: the script's plan for one message of this policy and how its keys are named."""
    asks = Asks(account=True, blocks=True, limits=[parse_limit(text) for text in rules.LIMITS])
    asks.repeat(Repeat("sender", REPEATS, 60_000_000), "enforce")
    keys = Keys()
    prepared = Plan(asks, ROUTE, keys, EPOCH)
    parts: list[bytes] = []
    message = Message("", "comment", ROUTE, "<room>", "<sender>", ("",), 0, ip="<ip>")
    shape, _ = prepared.write(message, Scan(fingerprint=MARK, folded_length=9), parts, [])
    pieces = [re.findall(r"\$\d+\r\n(.*?)\r\n", part.decode()) for part in parts]
    repeat = pieces.pop()[0]
    before, after = repeat.removesuffix(MARK.hex()).split("<sender>")
    by_field: dict[str, list[str]] = {}  # account and sender hang on the same field and stand next to each other
    for piece in pieces:
        by_field.setdefault(re.findall(r"<(\w+)>", piece[0])[0], []).extend(piece)
    return {
        "socket": socket,
        "script": ADMIT.text.decode(),
        "digest": sha1(ADMIT.text, usedforsecurity=False).hexdigest(),
        "epoch": str(EPOCH),
        "epoch_key": keys.epoch,
        "plan": (b"\x91" + shape.packed).hex(),
        "msetex": str(int(msetex)),
        "pieces": [{"field": field, "keys": names} for field, names in by_field.items()],
        "repeat_before": before,
        "repeat_after": after,
    }


class NginxLua:
    """nginx with the checks of ``lua/gate.lua``, and a Valkey of its own."""

    name = "nginx + Lua, the same checks"
    key = "nginx-lua"
    checks: Checks = "folded"

    def __init__(self) -> None:
        self.port = free_port()
        self._nginx: subprocess.Popen[bytes] | None = None
        self._state: valkey.Server | None = None

    def start(self, setting: Setting) -> None:
        scratch = setting.scratch / "nginx-lua"
        scratch.mkdir()
        state = self._state = valkey.Server(scratch / "state", setting.others_cpus)
        keys = Keys()
        account = account_value(True, 0, 90)
        state.load([("SET", keys.account(EPOCH, f"u{n}"), account) for n in range(1, setting.people + 1)])
        state.load([("SET", keys.epoch, str(EPOCH)), ("SCRIPT", "LOAD", ADMIT.text.decode())])
        msetex = knows_msetex(state.client.execute_command(*GREETING[0]))  # type: ignore[no-untyped-call]
        (scratch / "plan.json").write_text(json.dumps(plan(state.socket, msetex)), encoding="utf-8")
        (scratch / "folding.bin").write_bytes(folding_file())
        shutil.copy(setting.words, scratch / "words.txt")
        # A worker of a root nginx becomes "nobody", who may not open the state server's socket.
        user = "user root; " if os.geteuid() == 0 else ""
        text = CONFIGURATION.format(
            user=user, modules=MODULES, workers=setting.workers, scratch=scratch, lua=LUA,
            upstream=setting.upstream_port, port=self.port, credit=rules.CREDIT_BELOW, repeats=REPEATS,
        )  # fmt: skip
        self._nginx = nginx.run(text, scratch / "gate.conf", self.port, setting.cpus)

    def gateway_pids(self) -> list[int]:
        assert self._nginx is not None
        return process.children(self._nginx.pid)

    def state_pids(self) -> list[int]:
        assert self._state is not None
        return [self._state.pid]

    def other_pids(self) -> list[int]:
        return []

    def stop(self) -> None:
        if self._nginx is not None:
            process.stop(self._nginx)
        if self._state is not None:
            self._state.stop()
