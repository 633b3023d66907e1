"""Look at an image from inside: modules load, kernels are there; the last line says as JSON what is installed."""

import importlib
import importlib.metadata
import importlib.util
import json
import os
import platform
import subprocess
import sys
import sysconfig
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

OPTIONAL = (
    *("PIL._imagingtk", "matplotlib.backends._tkagg"),  # windows
    *("numba.cuda", "numba.np.ufunc.omppool", "numba.np.ufunc.tbbpool"),  # want cards, or libraries of their own
    *("pyarrow._cuda", "pyarrow._flight"),
    "scipy.linalg._matfuncs_sqrtm_triu",  # cannot be the first of its package
)
"""Modules that were never meant to load here, or were left out on purpose."""

SUFFIXES = [suffix for suffix in EXTENSION_SUFFIXES if suffix != ".so"]
"""Ends of names of Python's modules; ``.so`` alone is a library."""


def extension_modules(packages: Path) -> list[str]:
    """Return the names of all modules of machine code."""
    names = []
    for suffix in SUFFIXES:
        for path in packages.rglob(f"*{suffix}"):
            folders = path.relative_to(packages).parts[:-1]
            if all(
                (packages.joinpath(*folders[: depth + 1]) / "__init__.py").exists() for depth in range(len(folders))
            ):
                names.append(".".join([*folders, path.name.removesuffix(suffix)]))
    return sorted(set(names))


def failures(names: list[str]) -> dict[str, str]:
    """Load modules; return those that do not, with what they say."""
    failed = {}
    for name in names:
        if name.startswith(OPTIONAL):
            continue
        try:
            importlib.import_module(name)
        except Exception as error:
            failed[name] = f"{type(error).__name__}: {error}"
    return failed


def system_packages() -> dict[str, str]:
    """Return Debian's packages and their versions."""
    command = ["dpkg-query", "--show", "--showformat", "${Package} ${Version}\n"]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return dict(line.split(" ", 1) for line in lines)


def main() -> int:
    """Return 1 if something is wrong."""
    failed = failures(extension_modules(Path(sysconfig.get_path("purelib"))))
    for name, why in failed.items():
        print(f"does not load: {name} ({why})")

    from cellscale.compiled import warm_up

    started = dict(os.environ)
    warm_up()
    from cellscale import compiled

    hits = sum(compiled._nothing.stats.cache_hits.values())
    if not hits:
        print(f"kernels are compiled anew by user {os.getuid()}:{os.getgid()}: {started.get('NUMBA_CACHE_DIR')}")
    told = {
        "python": platform.python_version(),
        "packages": {entry.metadata["Name"]: entry.version for entry in importlib.metadata.distributions()},
        "system": system_packages(),
    }
    print(json.dumps(told))
    return int(bool(failed) or not hits)


if __name__ == "__main__":
    sys.exit(main())
