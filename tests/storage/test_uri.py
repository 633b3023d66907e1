"""Paths and URIs by one set of names."""

import subprocess
import sys
from pathlib import Path

import fsspec
import pytest

from cellscale.errors import StorageError
from cellscale.storage.ranges import open_ranges
from cellscale.storage.uri import (
    base_name,
    delete,
    exists,
    filesystem,
    is_uri,
    join,
    listing,
    local_path,
    make_folder,
    read_bytes,
)

ODD = ["a b", "..x", "#1", "50%", "%20", "é 中", "a?b", "x&y=z"]


@pytest.mark.parametrize("text", ["gs://b/x", "s3://b", "memory://x", "http://h/x", "file:///x"])
def test_uris(text) -> None:
    assert is_uri(text)


@pytest.mark.parametrize("text", ["x", "/x/y", "../x", r"C:\x", "C:/x", "a:b", Path("gs:/b/x")])
def test_paths(text) -> None:
    assert not is_uri(text)
    assert local_path(text) == Path(text)


def test_file_uris_are_decoded() -> None:
    assert local_path("file:///a%20b/%231.tif") == Path("/a b/#1.tif")
    assert local_path("file:///a#b?c") == Path("/a#b?c")
    assert local_path("gs://b/x") is None


def test_joining_and_names() -> None:
    assert join("gs://b/x/", "y z", "#1") == "gs://b/x/y z/#1"
    assert join("/x", "y", "z") == Path("/x/y/z")
    assert join(Path("x"), "y") == Path("x/y")
    assert base_name("gs://b/x/y#1.tif") == "y#1.tif"
    assert base_name("gs://b/x/folder/") == "folder"
    assert base_name(Path("/x/y.tif")) == "y.tif"


@pytest.mark.parametrize("kind", ["local", "remote"])
@pytest.mark.parametrize("odd", ODD)
def test_any_name_there_and_back(tmp_path: Path, kind, odd) -> None:
    base = tmp_path if kind == "local" else "memory://odd"
    folder = join(base, odd)
    location = join(folder, odd)
    make_folder(folder)
    assert not exists(location)
    if kind == "local":
        location.write_bytes(b"content")
    else:
        filesystem(location)[0].pipe_file(filesystem(location)[1], b"content")
    assert exists(location)
    (entry,) = listing(folder)
    assert (entry.name, entry.size, entry.is_folder) == (odd, 7, False)
    assert read_bytes(entry.location) == b"content"
    source = open_ranges(entry.location)
    assert source.size == 7
    assert source.read([(5, 2), (0, 3), (0, 7)]) == [b"nt", b"con", b"content"]
    with pytest.raises(EOFError):
        source.read([(0, 2), (5, 3)])
    source.close()
    delete(location)
    delete(location)
    assert not exists(location)


def test_distant_ranges_are_fetched_apart_and_near_ones_together(monkeypatch) -> None:
    content = bytes(range(256)) * 4096
    fs = fsspec.filesystem("memory")
    fs.pipe_file("/ranges/x", content)
    source = open_ranges("memory://ranges/x")
    requests = []
    original = type(fs).cat_ranges
    monkeypatch.setattr(type(fs), "cat_ranges", lambda *a, **k: requests.append(len(a[1])) or original(*a, **k))
    ranges = [(0, 10), (10, 5), (100, 1), (700_000, 3), (50, 4)]
    assert source.read(ranges) == [content[offset : offset + size] for offset, size in ranges]
    assert requests == [3]


@pytest.mark.parametrize("kind", ["local", "remote"])
def test_a_listing_tells_what_changed(tmp_path: Path, kind) -> None:
    base = tmp_path if kind == "local" else "memory://listing"
    for name in ("b", "a", "folder/x"):
        if kind == "local":
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_bytes(b"1")
        else:
            fsspec.filesystem("memory").pipe_file(f"/listing/{name}", b"1")
    entries = listing(base)
    assert [(one.name, one.is_folder) for one in entries] == [("a", False), ("b", False), ("folder", True)]
    assert entries[0].marker
    assert listing(base) == entries


@pytest.mark.parametrize("base", ["memory://nowhere", "local"])
def test_what_is_not_there(tmp_path: Path, base) -> None:
    base = tmp_path / "gone" if base == "local" else base
    for action in (listing, read_bytes, open_ranges):
        with pytest.raises(StorageError, match=r"cannot .*: it does not exist"):
            action(base)


def test_a_store_whose_client_is_not_installed(monkeypatch) -> None:
    for name in ("gcsfs", "s3fs"):
        monkeypatch.setitem(sys.modules, name, None)
    for scheme in ("gs", "s3"):
        monkeypatch.delitem(sys.modules["fsspec.registry"]._registry, scheme, raising=False)
    for scheme, extra in (("gs", "gcp"), ("s3", "s3")):
        with pytest.raises(StorageError, match=rf"{scheme}://b/x.*pip install 'cellscale\[{extra}\]'"):
            read_bytes(f"{scheme}://b/x")


def test_a_scheme_that_nobody_knows() -> None:
    with pytest.raises(StorageError, match="parrot:// is no known kind"):
        exists("parrot://x/y")


@pytest.mark.parametrize("client", ["fsspec.http", "gcsfs", "gcsfs.retry", "s3fs"])
def test_clients_log_to_who_listens_and_not_to_the_terminal(client):
    script = f"import logging, cellscale.storage.uri; logging.getLogger({client!r}).exception('out of retries')"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr == ""
