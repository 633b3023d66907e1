"""Whole runs reach no other machine, and write into the dataset, the cache and the temporary folder alone."""

import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.pipeline.spots import spots, write_dataset
from tests.traced import traced

SOURCES = Path(__file__).resolve().parents[1] / "src"
CELLSCALE = [sys.executable, "-m", "cellscale"]
API = "import sys, cellscale; cellscale.segment(sys.argv[1], model_path=sys.argv[2])"
FONTS = (".cache", ".cache/matplotlib", ".config", ".config/matplotlib")
"""Below home: where matplotlib keeps the list of this machine's fonts; docs/privacy.md says so."""


def strange(trace, home, *expected):
    """Return what was written elsewhere; kernels are kept beside the sources, as `docs/privacy.md` says."""
    fonts = [home / name for name in FONTS]
    written = {*trace.written, *home.rglob("*")}
    found = [
        path for path in sorted(written) if not any(path.is_relative_to(place) for place in (*expected, SOURCES))
    ]
    return [path for path in found if path not in fonts and path.parent != home / ".cache/matplotlib"]


def words_of(what, dataset, model):
    run = [*CELLSCALE, "segment-and-measure", "--overwrite", "--model_path", str(model)]
    where = ["workspace", str(dataset)]
    return {
        "run": [*run, "--workers", "1", "--visualize", *where],
        "openvino": [*run, "--workers", "1", "--device", "openvino", *where],
        "dask": [*run, "--engine", "dask", "--dask_workers", "1", "--workers", "1", *where],
        "estimate": [*CELLSCALE, "estimate", str(dataset)],
        "doctor": [*CELLSCALE, "doctor", "--model_path", str(model), str(dataset)],
        "python": [sys.executable, "-c", API, str(dataset / "OMETIFF" / "image.ome.tiff"), str(model)],
    }[what]


@pytest.mark.slow
@pytest.mark.parametrize("what", ["run", "openvino", "dask", "estimate", "doctor", "python"])
def test_nothing_leaves_and_little_is_written(tmp_path, tiny_model, what):
    needed = {"openvino": "openvino", "dask": "distributed"}.get(what)
    if needed and find_spec(needed) is None:
        pytest.skip(f"the extra {what} is not installed")
    dataset, home, temporary, cache = (tmp_path / name for name in ("data", "home", "temporary", "cache"))
    temporary.mkdir()
    write_dataset(dataset, image=spots((300, 280)))
    variables = {"TMPDIR": str(temporary), "CELLSCALE_CACHE": str(cache)}
    trace = traced(words_of(what, dataset, tiny_model), home, **variables)
    assert trace.exit_code == 0, trace.said
    assert trace.reached == []
    assert strange(trace, home, dataset, temporary, cache) == []


def test_the_watch_sees_who_is_called_and_what_is_written(tmp_path):
    code = (
        "import socket, pathlib; pathlib.Path.home().joinpath('left').write_text('x'); "
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(('192.0.2.1', 9))"
    )
    trace = traced([sys.executable, "-c", code], tmp_path / "home")
    assert "192.0.2.1" in "".join(trace.reached)
    assert tmp_path / "home" / "left" in trace.written
