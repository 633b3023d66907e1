"""The Pythons of this machine."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from uv import find_uv_bin

__all__ = ["SUPPORTED", "Interpreter", "find", "look_at"]

SUPPORTED = ("3.11", "3.12", "3.13", "3.14")

_QUESTION = "import platform, sys; print(platform.python_implementation(), platform.python_version(), sys.executable)"


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python that runs."""

    path: str
    """Its program."""

    version: str
    """Its version, as in ``3.13.0``."""

    @property
    def minor(self) -> str:
        """The version without its last part, as in ``3.13``."""
        return ".".join(self.version.split(".")[:2])


def find(minor: str) -> Interpreter | None:
    """Return an interpreter of a version such as ``3.13``, or None if this machine has none."""
    for path in _candidates(minor):
        found = look_at(path)
        if found is not None and found.minor == minor:
            return found
    return None


def look_at(path: str | Path) -> Interpreter | None:
    """Return what a program says that it is, or None if it is no CPython or does not run.

    Only running it tells: the ``python3.13`` of pyenv is there, and fails, where that version is not selected.
    """
    try:
        done = subprocess.run([path, "-c", _QUESTION], capture_output=True, text=True, timeout=60, check=True)
        implementation, version, program = done.stdout.strip().split(" ", 2)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return Interpreter(program, version) if implementation == "CPython" else None


def _candidates(minor: str) -> Iterator[str | Path]:
    for folder in os.get_exec_path():
        if program := shutil.which(f"python{minor}", path=folder):
            yield program
    if shutil.which("pyenv"):
        root = subprocess.run(["pyenv", "root"], capture_output=True, text=True, check=False).stdout.strip()
        yield from sorted(Path(root, "versions").glob(f"{minor}.*/bin/python"), reverse=True)
    words = [find_uv_bin(), "python", "find", "--quiet", "--no-project", "--system", "--no-python-downloads", minor]
    yield from subprocess.run(words, capture_output=True, text=True, check=False).stdout.splitlines()
