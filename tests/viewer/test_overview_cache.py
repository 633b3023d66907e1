"""What is kept of overviews between sessions."""

import os
import time
from pathlib import Path

import pytest

from cellscale.errors import StorageError
from cellscale.viewer.overview_cache import OverviewCache

DAY = 86400


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
    ages = (("a", 3 * DAY), ("b", 2 * DAY), ("c", 0))
    old, used, new = (finish(cache, name, 100, age) for name, age in ages)
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


def test_what_somebody_may_be_looking_at_stays(tmp_path):
    cache = OverviewCache(tmp_path, limit=50)
    today, before = finish(cache, "a", 100, DAY - 60), finish(cache, "b", 100, DAY + 60)
    cache.prune()
    assert today.exists()
    assert not before.exists()


def test_folders_that_another_process_deletes_at_the_same_time_do_no_harm(tmp_path, monkeypatch):
    cache = OverviewCache(tmp_path, limit=50)
    folder = finish(cache, "a", 100, 2 * DAY)
    monkeypatch.setattr(Path, "rglob", lambda self, pattern: iter([folder / "gone"]))
    monkeypatch.setattr(Path, "is_file", lambda self: True)
    cache.prune()
