"""Remove from installed packages what no run uses: tests, headers, symbols, libraries that nothing asks for."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

FOLDERS = ("**/tests", "**/test", "**/include", "**/__pycache__", "pyarrow/src", "matplotlib/mpl-data/sample_data")
"""Folders that go, with all that is in them."""

FILES = (
    "**/*.a",
    "**/*.pxd",
    "**/*.pyx",
    "pyarrow/libarrow*_flight.so*",  # Arrow's protocol between machines, and its module
    "pyarrow/_flight.*",
    "onnxruntime/capi/libonnxruntime.so*",  # for programs in C; Python's module has the same inside
)
"""Files that go."""

SERVICES = ("s3", "sts", "sso", "sso-oidc", "signin")
"""Services of AWS that stay known: the store of files, and the ways to log in."""


def superfluous(packages: Path) -> Iterator[Path]:
    """Yield the files and folders that go."""
    for pattern in FOLDERS:
        yield from (path for path in packages.glob(pattern) if path.is_dir())
    for pattern in FILES:
        yield from packages.glob(pattern)
    for path in packages.glob("botocore/data/*"):
        if path.is_dir() and path.name not in SERVICES:
            yield path


def strip(packages: Path) -> None:
    """Remove the symbols that only debuggers read from all libraries."""
    for path in packages.rglob("*.so*"):
        if path.is_file() and not path.is_symlink():
            subprocess.run(["strip", "--strip-unneeded", str(path)], check=True)


def even_times(folder: Path) -> None:
    """Cut files' times to whole seconds: a layer keeps no more, and kept kernels are held against them."""
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            seconds = int(path.stat().st_mtime)
            os.utime(path, (seconds, seconds))


def main(packages: Path) -> None:
    """Make the packages in a folder as small as runs allow."""
    for path in list(superfluous(packages)):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)  # one inside another is gone already
        else:
            path.unlink(missing_ok=True)
    strip(packages)
    even_times(packages)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
