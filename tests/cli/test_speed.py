"""Asking for help is instant."""

import subprocess
import sys

import pytest

HEAVY = {"numpy", "numba", "onnxruntime", "scipy", "tifffile", "zarr", "pyarrow", "rich"}


@pytest.mark.parametrize(
    "words", [["--help"], ["--version"], ["segment", "--help"], ["segment-and-measure", "workspace", "--help"]]
)
def test_help_loads_nothing_heavy(words):
    program = (
        "import sys\nfrom cellscale.cli.main import cellscale\n"
        f"try:\n    cellscale({words!r})\nfinally:\n    print(sorted({HEAVY!r} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr.strip() == "[]"
    assert done.stdout
