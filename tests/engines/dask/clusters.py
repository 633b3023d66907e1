"""Real Dask clusters of a few processes, and what tests do to them."""

import os
import signal
import socket
import subprocess
import sys
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread

PRELOAD = Path(__file__).with_name("poison.py")


def kill_one(client):
    """Kill a worker as the system does when memory runs out."""
    address, process = next(iter(client.run(os.getpid).items()))
    os.kill(process, signal.SIGKILL)
    return address


def begin(work, *words, **options):
    """Have something done beside the test, which does not wait for its end if it fails; return its future."""
    done = Future()

    def do():
        try:
            done.set_result(work(*words, **options))
        except BaseException as error:
            done.set_exception(error)

    Thread(target=do, daemon=True).start()
    return done


class Processes:
    """A scheduler and workers as ``dask scheduler`` and ``dask worker`` start them, at a fixed address."""

    def __init__(self, folder):
        self.folder = folder
        self.port = _free_port()
        self.address = f"tcp://127.0.0.1:{self.port}"
        self._running = []

    def start(self, workers):
        """Start the scheduler and so many workers."""
        self._run("scheduler", "--host", "127.0.0.1", "--port", str(self.port), "--no-dashboard")
        for _ in range(workers):
            self._add_worker()

    def replace_worker(self):
        """Kill the worker that was started first, and start another one."""
        oldest = self._running.pop(1)
        oldest.kill()
        oldest.wait()
        self._add_worker()

    def signal(self, number):
        """Send a signal to all of them."""
        for process in self._running:
            process.send_signal(number)

    def kill(self):
        """Kill all of them."""
        for process in self._running:
            with suppress(ProcessLookupError):
                process.kill()
            process.wait()
        self._running.clear()

    def _add_worker(self):
        words = ["--nthreads", "1", "--no-nanny", "--no-dashboard", "--memory-limit", "3GB"]
        self._run("worker", self.address, *words, "--local-directory", str(self.folder))

    def _run(self, *words):
        command = [sys.executable, "-m", "dask", *words]
        log = (self.folder / f"{words[0]}.log").open("ab")
        with log:
            self._running.append(subprocess.Popen(command, stdout=log, stderr=log))


@contextmanager
def processes(folder):
    """Give a scheduler and workers that are gone afterwards."""
    folder.mkdir()
    cluster = Processes(folder)
    try:
        yield cluster
    finally:
        cluster.kill()


def _free_port():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]
