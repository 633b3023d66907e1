"""Runs of the command line in processes that begin quickly, so that many of them can be killed."""

import multiprocessing
import os
import signal
import sys
from pathlib import Path

from tests.cli.runs import contents
from tests.engines.dask.clusters import Processes

__all__ = ["Cluster", "Started", "outputs"]

_CHANGING = (b'"stamp":', b'"run":', b'"checksum":')
"""Begin what in a record is another for every run: times and inodes, names of runs, and the checksum of all."""

_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(["tests.hostile.preloaded"])


class Started:
    """A command that runs in a process of its own.

    Parameters
    ----------
    log
        File that what it says is added to.
    words
        Of the command line.
    program
        ``cellscale``, or ``dask``.
    """

    def __init__(self, log: Path, *words: object, program: str = "cellscale") -> None:
        self._process = _SERVER.Process(target=_run, args=(str(log), program, [str(word) for word in words]))
        self._process.start()

    def ended_within(self, seconds: float) -> bool:
        """Wait so long, and return whether it has ended."""
        self._process.join(seconds)
        return not self._process.is_alive()

    def killed(self, seconds: float) -> bool:
        """Kill it after some seconds; return whether it was still at work."""
        at_work = not self.ended_within(seconds)
        self.kill()
        self.wait()
        return at_work and self._process.exitcode == -signal.SIGKILL

    def ended(self, seconds: float = 900) -> int | None:
        """Wait until it has ended, and return its exit code."""
        self._process.join(seconds)
        return self._process.exitcode

    def kill(self) -> None:
        """Kill it."""
        self._process.kill()

    def wait(self) -> None:
        """Wait until it has ended."""
        self._process.join()


class Cluster(Processes):
    """A scheduler and workers that begin quickly as well."""

    def _run(self, *words):
        self._running.append(Started(self.folder / f"{words[0]}.log", *words, program="dask"))


def _run(log: str, program: str, words: list[str]) -> None:
    from cellscale.cli.main import cellscale

    os.setpgrp()
    file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.dup2(file, 1)
    os.dup2(file, 2)
    print("$", program, *words, flush=True)
    if program == "dask":
        from distributed.cli import dask_scheduler, dask_worker

        command = {"scheduler": dask_scheduler, "worker": dask_worker}[words.pop(0)].main
    else:
        command = cellscale
    sys.exit(command(words, prog_name=program))


def outputs(dataset: Path) -> dict[str, bytes]:
    """Return what a dataset holds besides what tells times and costs."""
    found = contents(*(dataset / name for name in ("SEGMASK", "REPORTS", "PROJ")))
    records = dataset / "jobs" / "records"
    return found | {path.name: _without_stamps(path) for path in sorted(records.glob("*.json"))}


def _without_stamps(path: Path) -> bytes:
    """Return a record without what is another for every run."""
    lines = path.read_bytes().splitlines()
    return b"\n".join(line for line in lines if not any(word in line for word in _CHANGING))
