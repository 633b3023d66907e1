"""The end of a process whose work is done: over at once, whatever threads of libraries still do."""

import atexit
import logging
import os

from cellscale.cli.output.telling import end_output

__all__ = ["Ending"]


class Ending:
    """Ends the process in place of Python, once all that was to be done at its end is done; once in a process.

    Python takes itself apart at its end, while threads of libraries still run. One of Arrow's that lets go of the
    bytes it read then ends the process with SIGABRT, in 1 of 50 runs of ``cellscale estimate`` on a busy machine
    (pyarrow 26; the first report is apache/arrow#34314, of 2023). It also looks through all objects for cycles, which
    takes a third of a second. Nothing is lost without either: a command's outputs are closed by then.

    Made before anything else registers with `atexit`, because the last functions registered there come first.
    """

    def __init__(self) -> None:
        self._code: int | None = None
        atexit.register(self._end)

    def take(self, end: SystemExit) -> None:
        """Have the process end with this exit's code; an exit with a text is left to Python, which writes it."""
        if end.code is None or isinstance(end.code, int):
            self._code = end.code or 0

    def _end(self) -> None:
        if self._code is not None:
            logging.shutdown()  # it registered earlier
            end_output()
            os._exit(self._code)
