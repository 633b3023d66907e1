"""Runs of the command line in processes that begin quickly, so that many of them can be killed."""

import multiprocessing
import os
import random
import time
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from tests.cli.runs import contents

__all__ = ["Started", "outputs"]

_CHANGING = (b'"stamp":', b'"run":', b'"checksum":')
"""Begin what in a record is another for every run: times and inodes, names of runs, and the checksum of all."""

_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(
    [
        "cellscale.cli.main",
        "cellscale.engines.local",
        "cellscale.engines.dask.dask_engine",
        "cellscale.engines.tasks.finish",
        "cellscale.pipeline.measuring.write_tables",
        "cellscale.pipeline.measuring.project_entry",
        "cellscale.pipeline.pictures",
        "cellscale.predict.choice",
        "onnxruntime",
    ]
)


class Started:
    """A command that runs in a process of its own.

    Parameters
    ----------
    log
        File that what it says is added to.
    words
        Of the command line.
    """

    def __init__(self, log: Path, *words: object) -> None:
        self._process = _SERVER.Process(target=_run, args=(str(log), [str(word) for word in words]))
        self._process.start()

    def kill_within(self, seconds: float, chance: random.Random) -> bool:
        """Kill it at any moment of some seconds; return whether it was still at work."""
        self._process.join(chance.uniform(0, seconds))
        at_work = self._process.is_alive()
        self._process.kill()
        self._process.join()
        return at_work

    def ended(self, seconds: float = 900) -> int | None:
        """Wait until it has ended, and return its exit code."""
        self._process.join(seconds)
        return self._process.exitcode


def _run(log: str, words: list[str]) -> None:
    from cellscale.cli.main import cellscale

    os.setpgrp()
    with Path(log).open("a", encoding="utf-8") as file, redirect_stdout(file), redirect_stderr(file):
        print("$", *words, flush=True)
        cellscale(words, prog_name="cellscale")


def outputs(dataset: Path) -> dict[str, bytes]:
    """Return what a dataset holds besides what tells times and costs."""
    found = contents(*(dataset / name for name in ("SEGMASK", "REPORTS", "PROJ")))
    records = dataset / "jobs" / "records"
    return found | {path.name: _without_stamps(path) for path in sorted(records.glob("*.json"))}


def _without_stamps(path: Path) -> bytes:
    """Return a record without what is another for every run."""
    lines = path.read_bytes().splitlines()
    return b"\n".join(line for line in lines if not any(word in line for word in _CHANGING))


def seconds_of(work) -> float:
    """Return how long something takes."""
    start = time.monotonic()
    work()
    return time.monotonic() - start
