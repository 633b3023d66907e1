"""Runs of the command line as processes of their own, and the memory that they take."""

import subprocess
import sys

__all__ = ["peak_memory"]

_MEASURED = """
import os, subprocess, sys
process = subprocess.Popen(sys.argv[1:], stdout=sys.stderr)
_, status, usage = os.wait4(process.pid, 0)
print(usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024))
sys.exit(os.waitstatus_to_exitcode(status))
"""
"""A small process in between: Linux counts what the parent of a new process holds as if it were its own."""


def peak_memory(*words):
    """Run ``cellscale`` with these words, and return the largest resident size it had, in bytes."""
    command = [sys.executable, "-c", _MEASURED, sys.executable, "-m", "cellscale", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)
