"""What is measured, and what measures, is started so that scheduling policies mean something."""

import os
import sys

from rig import process


def test_a_program_has_a_group_of_its_own_in_our_session() -> None:
    started = process.start([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        assert os.getpgid(started.pid) == started.pid  # what it starts can be killed with it
        assert os.getsid(started.pid) == os.getsid(0)  # who stands back does so before all that share it
    finally:
        process.stop(started)
