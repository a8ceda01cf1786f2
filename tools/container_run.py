"""``python tools/container_run.py [--wheel FILE] [--keep FOLDER]``: the image, built and run without an engine.

``deploy/container/build.sh``, the one script of the Containerfile, runs in a plain Debian chroot (mmdebstrap; needs
root), with the wheel of ``make wheel`` that is for Debian's Python, compiled or pure. Then the node runs there as the
image would have it: a user without rights, root file system read-only, one folder to write into. Prints the size and
what was seen; exit code 1 where anything was not as it should be. ``--keep`` keeps the chroot, and takes it as it is
when it is there.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from rig.ports import free_ports  # noqa: E402  # the path comes first
from tests.e2e.lab import write_config  # noqa: E402
from tests.e2e.node import Answer, read_answer, request  # noqa: E402
from tests.e2e.upstream import serve  # noqa: E402

SUITE = "bookworm"
SOURCES = ("/etc/apt/sources.list.d/debian.sources", "/etc/apt/sources.list")
PYTHON = "3.11"  # Debian's of that suite
USER = 10001
CACHE = ROOT / "data" / "container"
DEPLOY = ROOT / "deploy" / "container"
PLACES = ["--config", "/etc/tidegate/tidegate.toml", "--data-dir", "/var/lib/tidegate"]
RUN = ["/opt/tidegate/bin/tidegate", "run", *PLACES]
WITHIN = 120.0
# Mounts are this shell's own: whatever becomes of it, nothing stays behind.
RUNNER = """
mount --make-rprivate /
mount --bind {root} {root}
mount -t proc proc {root}/proc
mount --bind {data} {root}/var/lib/tidegate
mount -o remount,bind,ro {root}
exec setpriv --no-new-privs --bounding-set -all,+sys_chroot,+setuid,+setgid chroot --userspec={user}:{user} {root} "$@"
"""


def chosen(given: Path | None) -> Path:
    """The wheel: as named; else of `dist`, a compiled one before a pure one; else made now."""
    if given is not None:
        return given.resolve()
    found = sorted((ROOT / "dist").glob("tidegate-*.whl"), key=lambda path: (path.stat().st_mtime, path.name))
    tag = f"cp{PYTHON.replace('.', '')}-"
    for wanted in (lambda name: tag in name and "linux" in name, lambda name: name.endswith("-none-any.whl")):
        fitting = [path for path in found if wanted(path.name)]
        if fitting:
            return fitting[-1]
    CACHE.mkdir(parents=True, exist_ok=True)
    subprocess.run([sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", CACHE, ROOT], check=True)
    return max(CACHE.glob("tidegate-*.whl"), key=lambda path: path.stat().st_mtime)


def gathered(folder: Path, wheel: Path) -> None:
    """What build.sh needs, with every dependency: nothing is fetched by pip inside."""
    wheels = CACHE / "wheels"
    # Debian's own Python chooses: some dependencies are for its very patch level.
    pip = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check", "--python", "/usr/bin/python3"]
    fetch = ["download", "--require-hashes", "--only-binary", ":all:", "-d", str(wheels)]
    subprocess.run([*pip, *fetch, "-r", str(ROOT / "requirements" / "run.lock")], check=True)
    shutil.copytree(wheels, folder)
    for path in (wheel, DEPLOY / "build.sh", DEPLOY / "healthy.py", ROOT / "requirements" / "run.lock"):
        shutil.copy(path, folder)


def built(root: Path, wheel: Path) -> None:
    """The image's root file system."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "build"
        gathered(folder, wheel)
        hooks = [
            f'copy-in "{folder}" /tmp',
            'chroot "$1" env PIP_NO_INDEX=1 /tmp/build/build.sh /tmp/build',
            'rm -rf "$1/tmp/build"',
        ]
        argv = ["mmdebstrap", "--quiet", "--variant=minbase", *(f"--customize-hook={hook}" for hook in hooks)]
        argv += [SUITE, str(root), *[source for source in SOURCES if Path(source).exists()][:1]]
        subprocess.run(argv, check=True)


def size(*folders: Path) -> int:
    """MiB on disk."""
    out = subprocess.run(["du", "-scm", *folders], capture_output=True, text=True, check=True).stdout
    return int(out.splitlines()[-1].split()[0])


def inside(root: Path, data: Path, *argv: str) -> list[str]:
    """A command in the image."""
    script = RUNNER.format(root=root, data=data, user=USER)
    return ["unshare", "--mount", "sh", "-ec", script, "sh", *argv]


async def told(port: int, method: str, path: str, text: str | None = None) -> Answer:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        body = json.dumps({"content": text}).encode() if text is not None else None
        fields = {"Content-Type": "application/json", "X-User-Id": "alice", "Connection": "close"}
        writer.write(request(method, path, body, fields))
        return await asyncio.wait_for(read_answer(reader), 30)
    finally:
        writer.close()


async def ready(port: int, node: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(WITHIN):
        while node.returncode is None:
            try:
                if (await told(port, "GET", "/readyz")).status == 200:
                    return
            except OSError:
                pass
            await asyncio.sleep(0.1)
    raise RuntimeError("the node ended before it was ready")


async def tried(root: Path, data: Path) -> bool:
    """One node, from its start to its end; whether all was well."""
    public, control = free_ports(2)
    seen: dict[str, bool] = {}
    async with serve() as upstream:
        configured = root / "etc" / "tidegate"
        write_config(configured, (public, control), upstream.port, workers=2)
        address = f"TIDEGATE_HEALTH=http://127.0.0.1:{control}/healthz"
        node = await asyncio.create_subprocess_exec(*inside(root, data, "env", address, *RUN))
        try:
            await ready(control, node)
            seen["it runs as a user without rights"] = running_as() == {USER}
            healthy = await call(inside(root, data, "env", address, "/usr/local/lib/tidegate/healthy.py"))
            seen["the health check says that it lives"] = healthy == 0
            token = (data / "control" / "first-token").read_text().strip()
            known = await import_alice(control, token)
            seen["alice is known"] = known.status == 200
            passed = await until_known(public)
            seen["a comment passed"] = passed.status == 201
            refused = await told(public, "POST", "/api/articles/1/comments", "代开发票")
            seen["another is refused, and why"] = refused.json().get("reason") == "keyword.match"
            written = await call(inside(root, data, "sh", "-c", "echo no > /etc/tidegate/x || echo no > /tmp/x"))
            seen["nothing else can be written"] = written != 0
        finally:
            if node.returncode is None:
                node.terminate()
            code = await node.wait()
        seen["it stops in order"] = code == 0
        gone = await call(inside(root, data, "env", address, "/usr/local/lib/tidegate/healthy.py"))
        seen["the health check says when it does not live"] = gone == 1
    for what, well in seen.items():
        print(f"{'ok  ' if well else 'FAIL'} {what}")
    return all(seen.values())


async def import_alice(port: int, token: str) -> Answer:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    fields = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", "Connection": "close"}
    line = b'{"sender": "alice", "verified": true}'
    writer.write(request("POST", "/v1/accounts:import?reason=trial", line, fields))
    answer = await read_answer(reader)
    writer.close()
    return answer


async def until_known(port: int) -> Answer:
    async with asyncio.timeout(30):
        while (answer := await told(port, "POST", "/api/articles/1/comments", "a fine piece")).status == 403:
            await asyncio.sleep(0.1)
    return answer


async def call(argv: list[str]) -> int:
    process = await asyncio.create_subprocess_exec(*argv, stderr=asyncio.subprocess.DEVNULL)
    return await process.wait()


def running_as() -> set[int]:
    """The users of the node's processes: those that have another root."""
    users = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if b"/opt/tidegate/bin" in (process / "cmdline").read_bytes() and (process / "root").resolve() != Path("/"):
                users.add(process.stat().st_uid)
        except OSError:
            continue  # it has ended
    return users


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wheel", type=Path, help="else the newest of dist/, compiled before pure, else made now")
    parser.add_argument("--keep", type=Path, help="folder of the chroot; else a temporary one")
    options = parser.parse_args()
    if os.geteuid():
        sys.exit("needs root: a chroot and mounts of its own")
    with tempfile.TemporaryDirectory(prefix="tidegate-container-") as scratch:
        folder = Path(scratch)
        folder.chmod(0o755)
        root = options.keep.resolve() if options.keep is not None else folder / "root"
        if not (root / "usr/local/lib/tidegate/healthy.py").exists():  # what build.sh does last
            wheel = chosen(options.wheel)
            print(f"installs {wheel.name}", flush=True)
            built(root, wheel)
        print(f"{size(root)} MiB, {size(root / 'opt' / 'tidegate')} of them Tidegate and what it needs", flush=True)
        data = folder / "data"
        data.mkdir()
        os.chown(data, USER, USER)
        return 0 if asyncio.run(tried(root, data)) else 1


if __name__ == "__main__":
    sys.exit(main())
