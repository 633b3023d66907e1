"""Runs of the command line as processes of their own, and the memory that they take."""

import os
import subprocess
import sys

__all__ = ["peak_memory"]


def peak_memory(*words):
    """Run ``cellscale`` with these words, and return the largest resident size it had, in bytes."""
    command = [sys.executable, "-m", "cellscale", *map(str, words)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    output = process.stdout.read()
    process.stdout.close()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, output
    return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
