"""When a started node counts as ready."""

from __future__ import annotations

import subprocess
import sys

import pytest

from rig import node, process


def started(code: str) -> subprocess.Popen[bytes]:
    return process.start([sys.executable, "-c", code], stdout=subprocess.PIPE)


def test_it_is_ready_when_it_says_so() -> None:
    saying = started("import time; print('warning: x'); print('ready', flush=True); time.sleep(60)")
    try:
        assert node.wait_until_ready(saying, 30)
    finally:
        process.stop(saying)
    assert saying.stdout is not None
    saying.stdout.close()


def test_one_that_ends_before_is_not() -> None:
    ended = started("print('nearly ready')")
    assert not node.wait_until_ready(ended, 30)
    assert ended.stdout is not None
    ended.stdout.close()


def test_without_a_pipe_nothing_can_be_heard() -> None:
    mute = process.start([sys.executable, "-c", ""])
    mute.wait()
    with pytest.raises(ValueError, match="without a pipe"):
        node.wait_until_ready(mute, 1)
