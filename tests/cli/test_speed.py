"""Asking for help is instant, measuring loads no more than it needs, and a command ends when it is done."""

import subprocess
import sys

import pytest

from cellscale.cli.main import cellscale

HEAVY = {
    "fsspec",
    "http.client",
    "numba",
    "numpy",
    "onnxruntime",
    "platformdirs",
    "pyarrow",
    "rich",
    "scipy",
    "tifffile",
    "zarr",
}

NEVER = {
    "anndata",
    "h5py",
    "matplotlib",
    "onnxruntime",
    "pandas",
    "pyarrow.compute",
    "scipy.linalg",
    "scipy.ndimage",
    "zarr",
}
"""What measuring does without."""


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


@pytest.mark.slow
@pytest.mark.parametrize(
    ("more", "unneeded"),
    [
        (["--no_report"], {*NEVER, "jinja2", "pydantic"}),
        ([], NEVER),
    ],
    ids=["tables", "report"],
)
def test_measuring_loads_neither_the_network_nor_what_is_not_written(tmp_path, more, unneeded):
    cellscale(["simulate", str(tmp_path), "--images", "1", "--size", "128", "--truth"], standalone_mode=False)
    (tmp_path / "SEGMASK").mkdir()
    for mask in (tmp_path / "TRUTH").glob("*Mask.tiff"):
        mask.rename(tmp_path / "SEGMASK" / mask.name)
    words = ["measure", *more, "workspace", str(tmp_path)]
    program = (
        "import sys\nfrom cellscale.cli.main import cellscale\n"
        f"try:\n    cellscale({words!r})\nfinally:\n    print(sorted({unneeded!r} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "REPORTS").glob("*.tsv"))
    assert done.stdout.splitlines()[-1] == "[]"
