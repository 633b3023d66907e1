"""Images and models behind a password or a signature are opened; the secret stands in nothing that a run leaves."""

import subprocess
import sys

import pytest

from tests.cli.guarded_server import guarded_server
from tests.pipeline.spots import spots, write_dataset

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
    import gzip

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
