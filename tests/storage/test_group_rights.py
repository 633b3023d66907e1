"""What is written where a group works can be gone on with by the group, and nobody else gets rights."""

import os
import stat
import sys

import pytest

from cellscale.storage.atomic import write_bytes, write_new
from cellscale.storage.group_rights import is_shared, share_tree
from cellscale.storage.locks import run_lock
from cellscale.storage.uri import make_folder

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no groups' rights there")


@pytest.fixture(autouse=True)
def careful():
    """Files are made without rights for the group, as most users have it."""
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture
def shared(tmp_path):
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o2775)
    if not is_shared(folder):
        pytest.skip("this file system keeps no set-group-ID")
    return folder


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_files_and_folders_in_a_groups_folder_are_the_groups(shared):
    make_folder(shared / "one" / "two")
    write_bytes(shared / "one" / "two" / "file", b"content")
    assert write_new(shared / "one" / "new", b"content")
    assert [mode(shared / "one"), mode(shared / "one" / "two")] == [0o2775, 0o2775]
    assert mode(shared / "one" / "two" / "file") == 0o664
    assert mode(shared / "one" / "new") & stat.S_IWGRP


def test_a_lock_in_a_groups_folder_can_be_taken_by_the_next_one(shared):
    with run_lock(shared / "lock"):
        assert mode(shared / "lock") & 0o060 == 0o060


def test_a_tree_that_a_library_wrote_is_the_groups(shared):
    tree = shared / "tree"
    (tree / "inner").mkdir(parents=True)
    (tree / "inner" / "file").write_text("content")
    share_tree(tree)
    assert [mode(tree), mode(tree / "inner"), mode(tree / "inner" / "file")] == [0o2775, 0o2775, 0o664]


@pytest.mark.parametrize("rights", [0o600, 0o640, 0o660, 0o664, 0o444])
def test_a_file_that_is_replaced_keeps_its_rights(tmp_path, rights):
    file = tmp_path / "file"
    file.write_text("old")
    file.chmod(rights)
    write_bytes(file, b"new")
    assert (mode(file), file.read_bytes()) == (rights, b"new")


def test_elsewhere_files_have_the_users_own_rights(tmp_path):
    write_bytes(tmp_path / "file", b"content")
    make_folder(tmp_path / "folder")
    assert (mode(tmp_path / "file"), mode(tmp_path / "folder")) == (0o644, 0o755)
