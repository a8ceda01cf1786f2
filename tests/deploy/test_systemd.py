"""What is shipped for systemd and around it, held against its programs: units, user, folders, rotation of logs."""

from __future__ import annotations

import asyncio
import configparser
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from gateway.config.sections.server import Server
from tests.deploy.front import PATH, ROOT, program
from tests.e2e.lab import lab

UNITS = ROOT / "deploy" / "systemd"
LEAST_EXPOSED = 1.5  # as docs/systemd.md tells, and a little


def said(*argv: str, **more: str) -> str:
    """What a program prints; it must end well."""
    done = subprocess.run(
        argv, capture_output=True, text=True, check=False, timeout=60, env={**os.environ, "PATH": PATH, **more}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def unit(name: str) -> configparser.ConfigParser:
    parsed = configparser.ConfigParser(strict=False, interpolation=None)
    parsed.optionxform = str  # type: ignore[assignment,method-assign]
    parsed.read(UNITS / name)
    return parsed


def test_systemd_accepts_both_units(tmp_path: Path) -> None:
    analyze = program("systemd-analyze")
    for name in ("tidegate.service", "tidegate.socket"):
        text = (UNITS / name).read_text(encoding="utf-8")
        (tmp_path / name).write_text(text.replace("/opt/tidegate/bin/tidegate", sys.executable), encoding="utf-8")
    assert said(analyze, "verify", *(str(tmp_path / name) for name in ("tidegate.service", "tidegate.socket"))) == ""


def test_the_service_may_do_little() -> None:
    told = said(program("systemd-analyze"), "security", "--offline=true", str(UNITS / "tidegate.service"))
    level = re.search(r"exposure level for tidegate.service: ([0-9.]+)", told)
    assert level is not None, told
    assert float(level[1]) <= LEAST_EXPOSED
    page = (ROOT / "docs" / "systemd.md").read_text(encoding="utf-8")
    assert f"gives {level[1]} " in page


def test_the_socket_opens_what_the_gate_listens_on_by_default() -> None:
    assert unit("tidegate.socket")["Socket"]["ListenStream"] in Server().listen
    assert unit("tidegate.service")["Service"]["Type"] == "notify"


def test_the_user_and_the_folders(tmp_path: Path) -> None:
    if os.geteuid():
        pytest.skip("needs root: folders of another user")
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    said(program("systemd-sysusers"), f"--root={root}", str(UNITS / "sysusers.conf"))
    (line,) = (line for line in (root / "etc" / "passwd").read_text().splitlines() if line.startswith("tidegate:"))
    assert line.endswith(":/var/lib/tidegate:/usr/sbin/nologin")
    said(program("systemd-tmpfiles"), f"--root={root}", "--create", str(UNITS / "tmpfiles.conf"))
    user = int(line.split(":")[2])
    for path, owner, mode in (
        ("etc/tidegate", 0, 0o750), ("etc/tidegate/lists", 0, 0o750), ("etc/tidegate/tls", 0, 0o750),
        ("srv/tidegate", user, 0o755),
    ):  # fmt: skip
        made = (root / path).stat()
        assert (made.st_uid, stat.S_IMODE(made.st_mode)) == (owner, mode), path


@pytest.mark.whole  # make deploy-check
async def test_a_rotated_access_log_is_opened_anew(tmp_path: Path) -> None:
    rotate = program("logrotate")
    log = tmp_path / "access.log"
    more = f'[logs]\naccess = true\naccess_file = "{log}"\n'
    async with lab(tmp_path, more=more) as made:
        assert (await made.node.say("alice", "before")).status == 201
        await written(log)
        assert made.node.process is not None
        text = (UNITS / "logrotate.conf").read_text(encoding="utf-8")
        for old, new in (
            (r"/var/log/tidegate/access\.log", str(log)),
            (r"    su .*\n", ""),
            (r"create 0640 tidegate tidegate", "create 0640"),
            (r"systemctl.*", f"kill -HUP {made.node.process.pid}"),
        ):
            assert re.search(old, text)
            text = re.sub(old, new, text)
        await asyncio.to_thread(rotated, rotate, tmp_path, text)
        async with asyncio.timeout(60):
            while "reload.done" not in made.node.told(everything=True):
                await asyncio.sleep(0.05)
        assert (await made.node.say("alice", "after")).status == 201
        assert await written(tmp_path / "access.log.1") + await written(log) >= 2


def rotated(rotate: str, folder: Path, text: str) -> None:
    """Let logrotate do now what is due once a day."""
    path = folder / "logrotate.conf"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o644)  # it takes no file that others may write
    folder.chmod(0o755)
    said(rotate, "--force", "--state", str(folder / "state"), str(path))


async def written(path: Path) -> int:
    """How many access lines there are, once there is one."""
    async with asyncio.timeout(30):
        while not (count := lines(path)):
            await asyncio.sleep(0.05)
    return count


def lines(path: Path) -> int:
    return path.read_text(encoding="utf-8").count('"event":"access"')


def test_rsyslog_accepts_its_file(tmp_path: Path) -> None:
    rsyslogd = program("rsyslogd")
    path = tmp_path / "rsyslog.conf"
    path.write_text(
        f'global(workDirectory="{tmp_path}")\nmodule(load="imuxsock")\ninclude(file="{UNITS / "rsyslog.conf"}")\n',
        encoding="utf-8",
    )
    assert "rror" not in said(rsyslogd, "-N1", "-f", str(path))


def test_the_other_shipper_s_file_is_yaml() -> None:
    document = yaml.safe_load((UNITS / "vector.yaml").read_text(encoding="utf-8"))
    known = {"tidegate_journal", "tidegate_access", "tidegate_lines"}
    for part in (*document["transforms"].values(), *document["sinks"].values()):
        assert set(part["inputs"]) <= known
