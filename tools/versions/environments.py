"""Environments with the newest, the locked or the lowest versions of libraries."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from uv import find_uv_bin

from tools.versions.interpreters import Interpreter

__all__ = ["ROOT", "Environment", "prepare"]

ROOT = Path(__file__).resolve().parents[2]
EXTRAS = ("anndata", "dask", "gcp", "openvino", "s3")


@dataclass(frozen=True, slots=True)
class Environment:
    """A Python with cellscale, its extras and the tools of its tests."""

    libraries: str
    """Which versions of libraries: ``newest``, ``locked`` or ``lowest``."""

    interpreter: Interpreter

    folder: Path
    """What belongs to environments lies here."""

    @property
    def name(self) -> str:
        """What it is called."""
        return f"{self.libraries}-{self.interpreter.minor}"

    @property
    def place(self) -> Path:
        """Its folder."""
        return self.folder / self.name

    @property
    def python(self) -> Path:
        """Its Python: that of the lock is the one which runs this, as ``make`` made it."""
        return Path(sys.executable) if self.libraries == "locked" else self.place / "bin" / "python"

    @property
    def variables(self) -> dict[str, str]:
        """Environment variables of what runs in it: no two share compiled kernels."""
        kernels = self.folder / f"{self.name}-kernels"
        return {**os.environ, "NUMBA_CACHE_DIR": str(kernels), "PYTHONDONTWRITEBYTECODE": "1"}


def prepare(environment: Environment) -> None:
    """Make an environment, or bring it up to date with the sources and what is out now."""
    if environment.libraries == "locked":
        return
    _uv("venv", "--allow-existing", "--python", environment.interpreter.path, environment.place)
    words: list[str | Path] = ["--python", environment.python, "--upgrade", "--reinstall-package", "cellscale"]
    if environment.libraries == "lowest":
        # Only what cellscale itself names is held low: a test tool as old as its bound would prove nothing.
        lowest = environment.folder / f"{environment.name}.txt"
        extras = [word for extra in EXTRAS for word in ("--extra", extra)]
        named: list[str | Path] = ["--python", environment.python, "--output-file", lowest, *extras, "pyproject.toml"]
        _uv("pip", "compile", "--upgrade", "--resolution", "lowest-direct", *named)
        words += ["--constraints", lowest]
    # Not editable: what is tried is the package that others install.
    groups = [word for group in ("test", "lint", "docs") for word in ("--group", group)]
    _uv("pip", "install", *words, ".", *groups)


def _uv(*words: str | Path) -> None:
    subprocess.run([find_uv_bin(), "--quiet", "--no-python-downloads", *words], cwd=ROOT, check=True)
