"""Images and models behind a password or a signature are opened; the secret stands in nothing that a run leaves."""

import gzip
import subprocess
import sys

import pytest

from cellscale.storage import credentials
from tests.cli.guarded_server import guarded_server
from tests.cli.runs import run as command
from tests.pipeline.spots import spots, write_dataset
from tests.viewer.conftest import serve
from tests.viewer.questions import facts

__all__ = ["serve"]

SECRET = "FAKESECRET0"


@pytest.fixture
def server(tmp_path, tiny_model):
    pytest.importorskip("aiohttp", reason="no client for http is installed")
    write_dataset(tmp_path / "served", image=spots((300, 280)))
    (tmp_path / "served" / "tiny.onnx").write_bytes(tiny_model.read_bytes())
    with guarded_server(tmp_path / "served", SECRET) as host:
        yield host


def run(folder, host, *options, model=None):
    words = [sys.executable, "-m", "cellscale", "segment-and-measure", "--workers", "1"]
    words += ["--model_path", model or f"http://{host}/tiny.onnx?sig={SECRET}"]
    words += ["--log_file", str(folder / "log.jsonl"), *options, "paths"]
    words += [f"--images_path=http://someone:{SECRET}@{host}/OMETIFF"]
    for option, name in (("segmasks", "SEGMASK"), ("reports", "REPORTS"), ("project", "PROJ")):
        words += [f"--{option}_path", str(folder / name)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def secret_places(folder, said):
    """Return the files that have the secret, compressed ones unpacked, and what was said if it does."""

    def content(path):
        raw = path.read_bytes()
        return gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw

    found = [path.name for path in folder.rglob("*") if path.is_file() and SECRET.encode() in content(path)]
    return found + ([said] if SECRET in said else [])


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["local", "dask"])
def test_a_whole_run_works_and_keeps_the_secret(tmp_path, server, engine):
    if engine == "dask":
        pytest.importorskip("distributed", reason="the extra dask is not installed")
    out = tmp_path / "out"
    out.mkdir()
    options = ["--engine", "dask", "--dask_workers", "1"] if engine == "dask" else []
    code, said = run(out, server, *options)
    assert code == 0, said
    assert (out / "SEGMASK" / "image_WholeCellMask.tiff").is_file()
    assert "without its user name, password or signature" in said
    assert secret_places(out, said) == []
    assert server in (out / "PROJ" / "project.qpproj").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("verbosity", [[], ["-v", "-v"]])
def test_a_model_that_is_not_there_is_named_without_the_secret(tmp_path, server, verbosity):
    out = tmp_path / "out"
    out.mkdir()
    code, said = run(out, server, *verbosity, model=f"http://someone:{SECRET}@{server}/none.onnx")
    assert code != 0
    assert f"http://{server}/none.onnx" in said
    assert secret_places(out, said) == []


MASK = "SEGMASK/image_WholeCellMask.tiff"
WORDS = {
    "compare datasets": ("compare {at} {at}/SEGMASK", 0),
    "compare masks": (f"compare {{at}}/{MASK}?sig={{secret}} {{at}}/{MASK} --out page.html", 0),
    "compare nothing": ("compare {at}/none {at}", 2),
    "gather": ("gather {at}", 1),
    "gather nothing": ("gather {at}/none", 2),
    "verify": ("verify --all {at}", 0),
    "verify nothing": ("verify {at}/none", 2),
    "repair": ("verify --repair {at}", 0),
    "classify": ("classify {at} {at}/classes.csv", 1),
    "classify by nothing": ("classify {here} {at}/none.csv", 1),
    "classify by another table": ("classify {here} {at}/tiny.onnx", 2),
    "stage plan": ("stage plan --model_path {at}/tiny.onnx {at}", 1),
    "stage plan with a network": ("stage plan --model_path {at}/tiny.onnx?sig={secret} {here}", 0),
    "stage plan with regions": ("stage plan --regions {at}/cells.geojson --model_path {at}/tiny.onnx {here}", 0),
    "stage": ("stage segment-image --tasks_spec_uri {at}/none.json --task_index 0", 2),
    "view nothing": ("view --no_browser {at}/none", 2),
    "tune nothing": ("tune --no_browser {at}/none.tiff", 2),
    "estimate": ("estimate --records {at} {at}", 0),
    "show": ("benchmark show {at}/none", 2),
    "doctor": ("doctor {at}", 1),
    "doctor in JSON": ("doctor --json --model_path {at}/none.onnx {at}", 1),
}
"""Of a command line, and its exit code."""


@pytest.fixture(scope="module")
def measured(tmp_path_factory, tiny_model):
    """A server of a dataset that a run has finished, and the dataset."""
    pytest.importorskip("aiohttp", reason="no client for http is installed")
    dataset = write_dataset(tmp_path_factory.mktemp("measured"), image=spots((100, 90)))
    done = command("segment-and-measure", "--model_path", tiny_model, "--workers", 1, "workspace", dataset)
    assert done.exit_code == 0
    (dataset / "tiny.onnx").write_bytes(tiny_model.read_bytes())
    cells = (dataset / "SEGMASK" / "image_Cells.geojson.gz").read_bytes()
    (dataset / "cells.geojson").write_bytes(gzip.decompress(cells))
    head, *rows = [line.split("\t") for line in (dataset / "REPORTS" / "image_QUANT.tsv").read_text().splitlines()]
    ids = [row[head.index("Object ID")] for row in rows]
    (dataset / "classes.csv").write_text("Object ID,class\n" + "".join(f"{one},T\n" for one in ids))
    with guarded_server(dataset, SECRET) as host:
        yield f"http://someone:{SECRET}@{host}", dataset


@pytest.fixture
def alone(tmp_path, monkeypatch):
    """A folder to work in; what earlier tests knew is forgotten."""
    monkeypatch.setattr(credentials, "_KNOWN", {})
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


@pytest.mark.slow
@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("case", WORDS)
def test_every_other_command_keeps_the_secret(case, measured, tmp_path):
    address, dataset = measured
    words, code = WORDS[case]
    done = command(*(word.format(at=address, secret=SECRET, here=dataset) for word in words.split()))
    assert done.exit_code == code, done.stdout + done.stderr
    assert credentials.known(), "the secret came in"
    said = done.stdout + done.stderr
    assert [secret_places(folder, said) for folder in (tmp_path, dataset)] == [[], []]


@pytest.mark.slow
@pytest.mark.usefixtures("alone")
def test_the_viewer_shows_what_is_guarded_and_keeps_the_secret(measured, serve, tmp_path):
    address, _ = measured
    with serve(address) as server:
        told = [facts(server, "dataset"), facts(server, "images/0")]
    assert told[1]["name"] == "image"
    assert secret_places(tmp_path, str(told)) == []
