"""Google Cloud Storage and S3 alike: failures that pass are survived, writers do not overwrite each other."""

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from cellscale.errors import RunInProgressError, StorageError
from cellscale.pipeline.resume.remote_state import RemoteRunState
from cellscale.storage.atomic import atomic_write, write_bytes, write_new
from cellscale.storage.locks import run_lock
from cellscale.storage.ranges import open_ranges
from cellscale.storage.uploads import Uploads
from cellscale.storage.uri import delete, exists, find, join, listing, objects_below, read_bytes
from cellscale.workspace.discovery import discover
from cellscale.workspace.layout import workspace_paths
from tests.patience import HANGS
from tests.storage.servers import put_many


def often(*statuses):
    """Fail every other request."""
    turns, numbers, lock = itertools.cycle([True, False]), itertools.cycle(statuses), threading.Lock()

    def fail(method, path, body):
        with lock:
            return next(numbers) if next(turns) else None

    return fail


@pytest.mark.slow  # the clients' pauses
def test_what_passes_is_survived(store) -> None:
    proxy, bucket = store
    proxy.fail = often(503, 500)
    place = join(bucket, "flaky")
    write_bytes(join(place, "a"), b"content")
    with atomic_write(join(place, "large")) as file:
        for _ in range(6):
            file.write(bytes(2**20))
    assert read_bytes(join(place, "a")) == b"content"
    assert open_ranges(join(place, "large")).read([(5 * 2**20, 7)]) == [bytes(7)]
    assert [entry.name for entry in listing(place)] == ["a", "large"]
    assert find(join(place, "none")) is None
    delete(join(place, "a"))
    assert not exists(join(place, "a"))


def test_too_many_requests_are_survived(store) -> None:
    proxy, bucket = store
    proxy.fail = often(429)
    write_bytes(join(bucket, "busy"), b"content")
    assert read_bytes(join(bucket, "busy")) == b"content"


def test_what_does_not_pass_is_told_once_and_in_words(store) -> None:
    proxy, bucket = store
    proxy.fail = lambda method, path, body: 403
    with pytest.raises(StorageError, match=r"cannot write .*permission denied"):
        write_bytes(join(bucket, "forbidden"), b"")
    with pytest.raises(StorageError, match=r"cannot list .*permission denied"):
        listing(bucket)
    with pytest.raises(StorageError, match=r"cannot read .*permission denied"):
        read_bytes(join(bucket, "forbidden"))


def test_of_many_writers_one_writes(store) -> None:
    location = join(store[1], "first")
    with ThreadPoolExecutor(8) as pool:
        written = list(pool.map(lambda number: write_new(location, str(number).encode()), range(8)))
    assert sum(written) == 1
    assert read_bytes(location) == str(written.index(True)).encode()


def test_of_many_runs_one_holds_the_lock(store) -> None:
    location, held, refused = join(store[1], "lock"), [], []

    def hold(number):
        try:
            with run_lock(location):
                held.append(number)
                everybody.wait()
        except RunInProgressError:
            refused.append(number)
            everybody.wait()

    everybody = threading.Barrier(4, timeout=HANGS)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(hold, range(4)))
    assert len(held) == 1
    assert len(refused) == 3
    assert not exists(location)


def test_thousands_of_images_are_listed_without_a_request_for_each(store) -> None:
    proxy, bucket = store
    dataset = join(bucket, "many")
    put_many(proxy, bucket[:2], [f"many/OMETIFF/image{number:05}.ome.tiff" for number in range(2000)])
    proxy.requests.clear()
    entries = discover(workspace_paths(dataset))
    assert len(entries) == 2000
    assert all(entry.marker and entry.size == 1 for entry in entries)
    assert len(proxy.requests) < 12


def test_what_is_sent_in_the_background_arrives(store, tmp_path) -> None:
    uploads = Uploads()
    for number in range(100):
        path = tmp_path / f"{number}"
        path.write_bytes(str(number).encode())
        uploads.submit(f"group/{number}", [(path, join(store[1], "sent", str(number)))], lambda: None)
    uploads.submit("gone", [(tmp_path / "none", join(store[1], "sent", "none"))], lambda: None)
    uploads.flush()
    uploads.close()
    assert sorted(objects_below(join(store[1], "sent"))) == sorted(map(str, range(100)))


def test_what_cannot_be_sent_is_told_at_the_end(store, tmp_path, caplog) -> None:
    proxy, bucket = store
    (tmp_path / "a").write_bytes(b"")
    uploads = Uploads()
    proxy.fail = lambda method, path, body: 403
    uploads.submit("a", [(tmp_path / "a", join(bucket, "a"))], lambda: pytest.fail("it was not sent"))
    with pytest.raises(StorageError, match="permission denied"):
        uploads.flush()
    assert "could not be kept" in caplog.text
    uploads.cancel()
    uploads.flush()
    uploads.close()


def test_state_of_another_machine(store, tmp_path) -> None:
    import numpy as np

    uri = join(store[1], "state", "image.0123")
    with RemoteRunState(tmp_path / "one", uri) as first:
        checksum = first.save_plane("cells/0", np.arange(10))
        first.save("cells/0", values=np.arange(3))
        first.save("tiles/0_0", values=np.arange(5))
        first.save_facts("facts", {"low": 0.1})
    with RemoteRunState(tmp_path / "two", uri) as second:
        assert second.has("cells/0")
        assert not second.has("cells/1")
        assert second.load_facts("facts") == {"low": 0.1}
        np.testing.assert_array_equal(second.load("tiles/0_0")["values"], np.arange(5))
        np.testing.assert_array_equal(second.map_plane("cells/0", checksum), np.arange(10))
        second.drop("tiles")
        assert not second.has("tiles/0_0")
    assert sorted(objects_below(uri)) == ["cells/0.npy", "cells/0.npz", "facts.json"]
    with RemoteRunState(tmp_path / "three", uri) as third:
        third.clear()
        assert third.load("cells/0") is None
    assert objects_below(uri) == []
    assert not (tmp_path / "three").exists()


@pytest.mark.parametrize("name", ["cells/0.npz", "cells/0.npy"])
def test_a_damaged_unit_is_forgotten_everywhere(store, tmp_path, name) -> None:
    import numpy as np

    uri = join(store[1], "damaged")
    with RemoteRunState(tmp_path / "one", uri) as state:
        checksum = state.save_plane("cells/0", np.arange(1000))
        state.save("cells/0", values=np.arange(1000))
    write_bytes(join(uri, name), read_bytes(join(uri, name))[:200])
    with RemoteRunState(tmp_path / "two", uri) as state:
        assert state.load("cells/0") is None or state.map_plane("cells/0", checksum) is None
        assert not state.has("cells/0")
    assert objects_below(uri) == []


def test_whatever_went_wrong_with_sending_is_told_until_it_went_well(store, tmp_path) -> None:
    uploads = Uploads()
    place = join(store[1], "b")

    def fail():
        raise RuntimeError("not expected")

    (tmp_path / "b").write_bytes(b"content")
    uploads.submit("b", [(tmp_path / "b", place)], fail)
    for _ in range(2):
        with pytest.raises(StorageError, match="b could not be kept in the object store: not expected"):
            uploads.flush()
    uploads.submit("b", [(tmp_path / "b", place)], lambda: None)
    uploads.flush()
    uploads.close()


def test_a_unit_that_is_retired_leaves_this_machine_and_not_the_store(store, tmp_path) -> None:
    import numpy as np

    uri = join(store[1], "state", "retired.0123")
    with RemoteRunState(tmp_path / "one", uri) as state:
        state.save("tiles/0_0", values=np.arange(5))
        state.retire("tiles/0_0")
        assert not list(tmp_path.rglob("*.npz"))
        assert state.has("tiles/0_0")
        np.testing.assert_array_equal(state.load("tiles/0_0")["values"], np.arange(5))
