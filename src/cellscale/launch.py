"""Where the command ``cellscale`` begins: Ctrl-C is heard from here on, while everything else is still to be loaded.

Loading takes some tenths of a second, in which Python's own answer to Ctrl-C is a traceback.
"""

import os
import signal
from types import FrameType
from typing import NoReturn

from cellscale.loading import loading

__all__ = ["main", "run_app"]

_NAMES: dict[int, str] = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM"}


def main() -> None:
    """Run the command line."""
    _listen()
    _calm()
    with loading(stays=True):
        from cellscale.cli.main import main as run

    run()


def run_app() -> None:
    """Run the command line that takes the words of DeepCell's ``run_app.py``."""
    _listen()
    _calm()
    with loading(stays=True):
        from cellscale.cli.run_app import run_app as run

    run()


def _calm() -> None:
    """Have OpenBLAS's threads sleep where they have nothing to do.

    They turn in circles for 30 ms else, each, as soon as numpy is loaded and after every product of matrices, of the
    same cores that images are worked on with.
    """
    os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "4")


def _listen() -> None:
    """Hear signals until the command line is there, which answers in its own way (`cellscale.cli.stops`)."""
    for number in _NAMES:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as in a shell's background
            signal.signal(number, _stopped)


def _stopped(number: int, frame: FrameType | None) -> NoReturn:
    del frame
    os.write(2, f"Stopped by {_NAMES[number]} before anything was begun.\n".encode())
    os._exit(128 + number)
