"""One program hands itself to the next: all that it says arrives, and nobody dies of a signal in between."""

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from gateway.node import handover
from gateway.node.handover import Handover, Predecessor

BEFORE = Predecessor(1, ["/bin/old"], {"A": "b"}, ["/bin/old"], 3)
ALL = Handover(
    2, ["/bin/new"], 4, 5, [6, 7], {"others": [], "workers": []}, {"state": "renewing"}, {"since": 1}, True, BEFORE
)


def test_what_is_written_is_read() -> None:
    odd = replace(ALL, before=replace(BEFORE, environ={"A": "\udcff"}))
    for one in (ALL, replace(ALL, before=None), odd):  # the last: a byte of the environment that is no UTF-8
        document = handover.written(one)
        try:
            assert handover.received({handover.HANDED: str(document)}) == one
            assert os.get_inheritable(document)
        finally:
            os.close(document)


def test_without_one_there_is_none() -> None:
    assert handover.received({}) is None
    assert handover.received({handover.HANDED: ""}) is None


def test_another_format_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    document = handover.written(ALL)
    monkeypatch.setattr(handover, "READS", (2,))
    with pytest.raises(ValueError, match="another format"):
        handover.received({handover.HANDED: str(document)})
    os.close(document)


PROGRAM = """
import os, signal, sys
from gateway.node import handover
from gateway.node.handover import Handover
one = Handover(2, [], 4, os.open("/dev/null", os.O_RDONLY), [], {"workers": []}, {})
try:
    handover.execute(["/nonexistent/program"], os.environ, one)
except OSError:
    print("stays")
print(len(signal.pthread_sigmask(signal.SIG_BLOCK, ())))
after = '''
import os, signal
from gateway.node import handover
taken = handover.received()
os.fstat(taken.lock)
os.kill(os.getpid(), signal.SIGHUP)
os.kill(os.getpid(), signal.SIGTERM)
print(taken.generation, sorted(number.name for number in signal.sigpending()), os.getpid() == int(os.environ["WAS"]))
'''
sys.stdout.flush()
handover.execute([sys.executable, "-c", after], {**os.environ, "WAS": str(os.getpid())}, one)
"""


def test_the_process_stays_and_signals_wait() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["stays", "0", "4 ['SIGHUP', 'SIGTERM'] True"]


def test_what_cannot_begin_executes_the_one_before_and_says_why() -> None:
    after = (
        "import os, sys; from gateway.node import handover; told = handover.received(); "
        "print(told.number, told.generation, told.upgrade, os.environ['A'])"
    )
    program = (
        "import os, sys; from gateway.node import handover; from gateway.node.handover import *\n"
        f"old = Predecessor(1, [sys.executable, '-c', {after!r}], {{**os.environ, 'A': 'b'}}, [], 3)\n"
        "one = Handover(2, [], 4, os.open('/dev/null', os.O_RDONLY), [], {}, {'to': '2'}, before=old)\n"
        "os.environ[handover.HANDED] = str(handover.written(one))\n"
        "handover.give_back('because')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "1 3 {'to': '2', 'state': 'returning', 'problems': ['because']} b\n"
