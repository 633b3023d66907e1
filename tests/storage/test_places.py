"""Places are compared as what they are."""

import os
import sys
from pathlib import Path

import pytest

from cellscale.storage.places import folded, plain_path, same_place


@pytest.mark.parametrize(
    "spelled",
    ["{0}", "{0}/", "{0}/../d", "{0}/./", "/{0}", "{1}/link", "{1}/other/../d", "file://{0}", "{1}/link/../d"],
)
@pytest.mark.skipif(sys.platform == "win32", reason="paths of POSIX")
def test_a_folder_is_the_same_by_any_path(tmp_path, spelled):
    folder = tmp_path / "d"
    folder.mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "link").symlink_to(folder)
    assert same_place(spelled.format(folder, tmp_path), folder)
    assert not same_place(spelled.format(folder, tmp_path), tmp_path / "other")


def test_what_is_not_there_is_compared_too(tmp_path):
    (tmp_path / "d").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "d")
    assert same_place(tmp_path / "link" / "new", tmp_path / "d" / "new")
    assert not same_place(tmp_path / "link" / "new", tmp_path / "d" / "other")


def test_hard_links_are_files_of_their_own(tmp_path):
    (tmp_path / "a").write_bytes(b"x")
    os.link(tmp_path / "a", tmp_path / "b")
    assert not same_place(tmp_path / "a", tmp_path / "b")


def test_going_back_out_of_a_link_leads_where_the_system_goes(tmp_path):
    (tmp_path / "far" / "d").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "far" / "d")
    assert plain_path(tmp_path / "link" / ".." / "x") == tmp_path / "far" / "x"
    assert plain_path(tmp_path / "link" / "x") == tmp_path / "link" / "x"


def test_letters_of_one_name_on_disks_that_do_not_tell_them_apart():
    assert folded("Größe.TIFF") == folded("gro\u0308ße.tiff")
    assert folded("a.tiff") != folded("b.tiff")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("gs://bucket/a/", "gs://bucket/a", True),
        ("GS://bucket/a", "gcs://bucket/a", True),
        ("s3a://bucket/a", "s3://bucket/a", True),
        ("gs://bucket/a", "gs://bucket/A", False),
        ("gs://bucket/a", "s3://bucket/a", False),
        ("gs://bucket/a", "/bucket/a", False),
    ],
)
def test_objects(one, other, same):
    assert same_place(one, other) is same
    assert same_place(other, one) is same


def test_a_double_slash_is_no_host():
    assert plain_path(Path("//tmp/x")).as_uri() in ("file:///tmp/x", Path("//tmp/x").absolute().as_uri())
