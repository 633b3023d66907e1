"""How long tests wait for what takes seconds on a machine that does nothing else."""

import time
import urllib.error
import urllib.request

__all__ = ["HANGS", "answers", "wait_for"]

HANGS = 300
"""Seconds after which a process, a server or a worker hangs: the machine may be busy with much besides the tests."""


def wait_for(condition):
    """Wait until something is true."""
    end = time.monotonic() + HANGS
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def answers(url):
    """Tell whether a server answers, with whatever."""
    try:
        with urllib.request.urlopen(url, timeout=HANGS):
            return True
    except urllib.error.HTTPError as error:
        error.close()
        return True
    except OSError:
        return False
