"""What the user names as model is found, checked, or refused with the reason."""

import hashlib
import shlex
from contextlib import suppress

import fsspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cellscale.errors import ModelError
from cellscale.weights import resolve
from cellscale.weights.catalogue import installed_path
from cellscale.weights.checksum import Checksum, parse_checksum
from cellscale.weights.fetch import fetch
from cellscale.weights.resolve import installed_model, resolve_model
from tests.weights.fixtures import CONTENT

pytestmark = pytest.mark.usefixtures("cache")

SHA256 = hashlib.sha256(CONTENT).hexdigest()
MD5 = hashlib.md5(CONTENT).hexdigest()


@pytest.fixture
def default_is_tiny(tiny, monkeypatch):
    monkeypatch.setattr(resolve, "MESMER", tiny)
    return tiny


def test_the_default_is_the_installed_model(default_is_tiny, onnx_file):
    path = fetch("tiny", accept_license=True, source=str(onnx_file))
    model = resolve_model()
    assert (model.path, model.sha256, model.name) == (path, SHA256, "tiny")


def test_missing_weights_tell_how_to_get_them():
    with pytest.raises(ModelError, match=r"not installed.*cellscale models fetch mesmer"):
        resolve_model()


@pytest.mark.parametrize("damaged", [CONTENT[:-1], CONTENT[:-1] + b"?", b""])
def test_corrupt_weights_tell_both_hashes_and_how_to_get_them_again(tiny, damaged):
    path = installed_path(tiny)
    path.parent.mkdir(parents=True)
    path.write_bytes(damaged)
    with pytest.raises(ModelError, match="damaged") as caught:
        installed_model(tiny)
    message = str(caught.value)
    assert hashlib.sha256(damaged).hexdigest() in message
    assert SHA256 in message
    assert "cellscale models fetch tiny" in message


@pytest.mark.parametrize(
    "given", [None, SHA256, MD5, SHA256.upper(), f"sha256:{SHA256}", f"MD5:{MD5.upper()}", f" {MD5} "]
)
def test_a_local_model_is_used_where_it_is(onnx_file, given):
    model = resolve_model(str(onnx_file), given)
    assert (model.path, model.sha256, model.name) == (onnx_file, SHA256, "given")


def test_a_relative_path_and_a_file_uri_are_local(onnx_file, monkeypatch):
    monkeypatch.chdir(onnx_file.parent)
    assert resolve_model("given.onnx").path == onnx_file
    assert resolve_model(f"file://{onnx_file}").path == onnx_file


@pytest.mark.parametrize("wrong", ["0" * 64, "0" * 32])
def test_another_hash_is_refused_naming_both(onnx_file, wrong):
    with pytest.raises(ModelError, match=f"found {len(CONTENT)} bytes with .*expected .*{wrong}"):
        resolve_model(str(onnx_file), wrong)


def test_a_truncated_file_is_refused(onnx_file):
    onnx_file.write_bytes(CONTENT[:-1])
    with pytest.raises(ModelError, match="incomplete"):
        resolve_model(str(onnx_file), SHA256)


@pytest.mark.parametrize("text", ["", "xyz", "0" * 63, "g" * 64, f"sha256:{MD5}", f"sha1:{SHA256}", "sha256:"])
def test_what_is_no_hash_is_refused(text):
    with pytest.raises(ModelError, match="not a hash"):
        parse_checksum(text)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.one_of(st.text(), st.from_regex(r"(sha256:|md5:)?[0-9a-fA-F]{32}([0-9a-fA-F]{32})?", fullmatch=True)))
def test_any_text_is_a_hash_or_refused(text):
    with suppress(ModelError):
        checksum = parse_checksum(text)
        assert len(checksum.digest) == {"md5": 32, "sha256": 64}[checksum.algorithm]
        assert text.strip().lower().endswith(checksum.digest)


def test_a_hash_reads_as_it_prints():
    assert parse_checksum(str(Checksum("md5", MD5))) == Checksum("md5", MD5)


def test_a_model_of_another_machine_is_kept_by_its_hash(cache):
    uri = "memory://models/Net.onnx"
    with fsspec.open(uri, "wb") as out:
        out.write(CONTENT)
    model = resolve_model(uri, MD5)
    assert (model.path.name, model.sha256, model.name) == (f"md5-{MD5}.onnx", SHA256, "Net")
    fsspec.filesystem("memory").rm("/models/Net.onnx")
    assert resolve_model(uri, MD5) == model
    with pytest.raises(ModelError, match="does not exist"):
        resolve_model(uri)
    assert list(cache.rglob(".download-*")) == []


def test_a_damaged_copy_in_the_cache_is_replaced():
    uri = "memory://models/damaged.onnx"
    with fsspec.open(uri, "wb") as out:
        out.write(CONTENT)
    model = resolve_model(uri, SHA256)
    model.path.write_bytes(b"?")
    assert resolve_model(uri, SHA256).path.read_bytes() == CONTENT


def test_a_changed_model_of_another_machine_is_noticed():
    uri = "memory://models/changing.onnx"
    for content in (CONTENT, CONTENT + b"2"):
        with fsspec.open(uri, "wb") as out:
            out.write(content)
        assert resolve_model(uri).sha256 == hashlib.sha256(content).hexdigest()


def test_a_wrong_download_is_not_kept(cache):
    uri = "memory://models/wrong.onnx"
    with fsspec.open(uri, "wb") as out:
        out.write(CONTENT)
    with pytest.raises(ModelError, match="is not the one"):
        resolve_model(uri, "1" * 64)
    assert list(cache.rglob("*.onnx")) == []


def test_what_is_larger_than_any_model_is_not_copied_to_its_end(cache, monkeypatch):
    monkeypatch.setattr(resolve, "_LARGEST", len(CONTENT) - 1)
    uri = "memory://models/large.onnx"
    with fsspec.open(uri, "wb") as out:
        out.write(CONTENT)
    with pytest.raises(ModelError, match=r"has more than [\d,]+ bytes, which no \.onnx file can have"):
        resolve_model(uri)
    assert list(cache.rglob("*.onnx")) == []


@pytest.mark.parametrize(("uri", "extra"), [("gs://bucket/net.onnx", "gcp"), ("s3://bucket/net.onnx", "s3")])
def test_cloud_storage_without_its_extra_tells_what_to_install(monkeypatch, uri, extra):
    def missing(*args, **kwargs):
        raise ImportError("not installed")

    monkeypatch.setattr(fsspec, "get_filesystem_class", missing)
    with pytest.raises(ModelError, match=rf"pip install 'cellscale\[{extra}\]'"):
        resolve_model(uri)


def test_an_unknown_kind_of_uri_is_refused():
    with pytest.raises(ModelError, match=r"cannot reach nosuch://x/net.onnx"):
        resolve_model("nosuch://x/net.onnx")


def test_a_missing_local_model_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"no model file at .*absent\.onnx"):
        resolve_model(str(tmp_path / "absent.onnx"))


@pytest.mark.parametrize(
    ("location", "command"),
    [
        (
            "MultiplexSegmentation-9.tar.gz",
            "--saved-model MultiplexSegmentation --opset 15 --output MultiplexSegmentation-9.onnx",
        ),
        ("gs://bucket/a/Net.TGZ", "--saved-model MultiplexSegmentation --opset 15 --output Net.onnx"),
        ("/models/my net.h5", "--keras 'my net.h5' --opset 15 --output 'my net.onnx'"),
        ("net.keras", "--keras net.keras --opset 15 --output net.onnx"),
        ("a/Net/saved_model.pb", "--saved-model Net --opset 15 --output Net.onnx"),
        ("frozen.pb", "--graphdef frozen.pb --opset 15 --output frozen.onnx --inputs input_0:0"),
    ],
)
def test_tensorflow_models_are_refused_with_the_command_that_converts_them(location, command):
    with pytest.raises(ModelError, match="TensorFlow") as caught:
        resolve_model(location)
    lines = [line.strip() for line in str(caught.value).splitlines()]
    [found] = [line for line in lines if line.startswith("python -m tf2onnx.convert")]
    assert command in found
    assert shlex.split(found)


def test_a_savedmodel_folder_is_refused_too(tmp_path):
    folder = tmp_path / "MultiplexSegmentation"
    folder.mkdir()
    (folder / "saved_model.pb").touch()
    with pytest.raises(ModelError, match="--saved-model MultiplexSegmentation"):
        resolve_model(str(folder))
