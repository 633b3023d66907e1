"""What is kept of overviews between sessions."""

import os
import time

import pytest

from cellscale.errors import StorageError
from cellscale.viewer.cache import OverviewCache


def finish(cache, identity, size, age=0.0):
    """Keep so many bytes under a name, last used some seconds ago."""
    with cache.growing(identity) as folder:
        (folder / "0").write_bytes(bytes(size))
    used = time.time() - age
    os.utime(folder / "done", (used, used))
    return folder


def test_only_what_is_finished_is_found_again(tmp_path):
    cache = OverviewCache(tmp_path / "cache")
    assert cache.finished("a") is None
    with cache.growing("a") as folder:
        assert cache.finished("a") is None
    assert cache.finished("a") == folder
    assert cache.finished("a", "b") is None


def test_what_fails_leaves_nothing(tmp_path):
    cache = OverviewCache(tmp_path)
    with pytest.raises(FileNotFoundError), cache.growing("a") as folder:
        (folder / "missing" / "0").write_bytes(b"half")
    assert not list(tmp_path.iterdir())


def test_the_longest_unused_go_first(tmp_path):
    cache = OverviewCache(tmp_path, limit=250)
    old, used, new = (finish(cache, name, 100, age) for name, age in (("a", 900), ("b", 800), ("c", 0)))
    assert cache.finished("b") == used
    cache.prune()
    assert not old.exists()
    assert used.exists()
    assert new.exists()


def test_what_a_killed_process_left_goes_after_a_day(tmp_path):
    left, growing = tmp_path / "left-1", tmp_path / "growing-1"
    for folder, age in ((left, 2 * 86400), (growing, 60)):
        folder.mkdir()
        os.utime(folder, (time.time() - age,) * 2)
    OverviewCache(tmp_path).prune()
    assert [folder.name for folder in tmp_path.iterdir()] == ["growing-1"]


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match="file"), OverviewCache(tmp_path / "file").growing("a"):
        pass
