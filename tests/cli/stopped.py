"""Runs of the command line in processes of their own that are sent a signal in the middle of a stage."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Lock, Timer

from cellscale import deadlock
from cellscale.cli.main import main
from cellscale.pipeline.image_run import ImageRun
from tests.patience import HANGS

__all__ = ["SENTENCE", "Stopped", "stopped"]

SENTENCE = "What is finished is kept; the same command goes on where it stopped."


@dataclass(frozen=True)
class Stopped:
    """How a process ended."""

    exit_code: int
    output: str
    seconds: float
    """Between its first signal and its end."""
    slowness: float
    """Seconds that passed before the signal for each of processor time: how busy others kept the machine."""


def stopped(place, *words, how=signal.SIGINT, times=1, deaf=""):
    """Run ``cellscale`` and have it send itself a signal.

    Parameters
    ----------
    place
        ``stage`` for the beginning of a stage, or ``stage:n`` when n of its units are finished.
    words
        Of the command line.
    how, times
        The signal, and how often it is sent, 0.1 s between.
    deaf
        What does not end by itself: ``thread`` for a thread that the main one waits for, ``library`` for the main
        thread itself, in C; ``lock`` for that with Python's global lock.
    """
    start = time.time()
    command = [sys.executable, "-m", "tests.cli.stopped", place, str(int(how)), str(times), deaf, *map(str, words)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=HANGS, check=False)
    except subprocess.TimeoutExpired as hung:  # whether it hangs, or had not begun, is in what it said
        raise AssertionError(f"not over after {HANGS} s: {hung.stdout!r} {hung.stderr!r}") from hung
    output = done.stdout + done.stderr
    assert "signalled at " in output, output
    moment, processor = map(float, output.partition("signalled at ")[2].split()[:2])
    return Stopped(done.returncode, output, time.time() - moment, (moment - start) / processor)


def _begin():
    place, how, times, deaf, *words = sys.argv[1:]
    stage, _, units = place.partition(":")
    first = Lock()

    def send():
        if not first.acquire(blocking=False):
            return  # another image was there before, side by side with this one
        if deaf in ("library", "lock"):
            while deaf == "lock" and not deadlock._places:
                time.sleep(0.1)
            time.sleep(0.1)
            print(f"signalled at {time.time() + 0.5} {time.process_time()}", file=sys.stderr, flush=True)
            library = ctypes.PyDLL(None) if deaf == "lock" else ctypes.CDLL(None)
            subprocess.Popen(["sh", "-c", f"sleep 0.5; kill -{how} {os.getpid()}"])
            mutex = ctypes.create_string_buffer(64)
            for _ in range(2):  # locked twice: unlike a sleep, no signal ends it
                library.pthread_mutex_lock(mutex)
        print(f"signalled at {time.time()} {time.process_time()}", file=sys.stderr, flush=True)
        for later in range(1, int(times)):
            Timer(0.1 * later, os.kill, (os.getpid(), int(how))).start()
        os.kill(os.getpid(), int(how))

    _have_watched(stage, int(units or 0), send, waits=deaf == "thread")
    sys.argv[1:] = words
    main()


def _have_watched(stage, units, act, *, waits):
    """Have something done in the middle of a stage, which does not come to its end then if it ``waits``."""
    begin = ImageRun.stage

    @contextmanager
    def watched(self, name, *arguments, **options):
        with begin(self, name, *arguments, **options) as advance:
            left = units if name == stage else -1

            def counted(*counts, **costs):
                nonlocal left
                advance(*counts, **costs)
                left -= 1
                if left == 0:
                    act()

            try:
                if left == 0:
                    act()
                yield counted
            finally:
                if waits and name == stage:
                    Event().wait()

    ImageRun.stage = watched


if __name__ == "__main__":
    _begin()
