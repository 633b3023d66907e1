"""Rights of what is written where a group works: whoever is in it may go on with what another one made.

A folder is a group's if the group may write to it and what is made in it belongs to the group as well (set-group-ID),
as administrators set up folders that are shared. Nothing else is made writable for anybody.
"""

import os
import stat
import sys
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

__all__ = ["is_shared", "share_file", "share_folder", "share_path", "share_tree"]

_SHARED = stat.S_ISGID | stat.S_IWGRP
_FILES = stat.S_IRGRP | stat.S_IWGRP
_FOLDERS = _SHARED | stat.S_IRGRP | stat.S_IXGRP


def is_shared(folder: Path) -> bool:
    """Tell whether a folder is a group's; false where it cannot be known."""
    if sys.platform == "win32":
        return False
    with suppress(OSError):
        return folder.stat().st_mode & _SHARED == _SHARED
    return False


def share_file(file: BinaryIO, folder: Path, replaced: Path | None = None) -> None:
    """Give a new file the rights of the one that it replaces, or those that a group's folder asks for.

    Parameters
    ----------
    file
        Open for writing.
    folder
        Where it is.
    replaced
        The file whose name it will take, which need not be there.
    """
    if sys.platform == "win32":
        return
    before = None
    if replaced is not None:
        with suppress(OSError):
            before = replaced.lstat()
    with suppress(OSError):  # a group that this user is not in, or a file system without rights
        now = os.fstat(file.fileno())
        if before is not None and stat.S_ISREG(before.st_mode):
            os.fchmod(file.fileno(), stat.S_IMODE(before.st_mode) & 0o777)
            if now.st_gid != before.st_gid:
                os.fchown(file.fileno(), -1, before.st_gid)
        elif is_shared(folder):
            os.fchmod(file.fileno(), stat.S_IMODE(now.st_mode) | _FILES)


def share_path(path: Path) -> None:
    """Give a new file in a group's folder the rights of the group; of another user's file they stay."""
    if is_shared(path.parent):
        with suppress(OSError):
            path.chmod(stat.S_IMODE(path.stat().st_mode) | _FILES)


def share_folder(folder: Path) -> None:
    """Give a new folder in a group's folder the same rights."""
    if is_shared(folder.parent):
        with suppress(OSError):
            folder.chmod(stat.S_IMODE(folder.stat().st_mode) | _FOLDERS)


def share_tree(folder: Path) -> None:
    """Give a new folder in a group's folder, and all that is in it, the rights of the group."""
    if not is_shared(folder.parent):
        return
    share_folder(folder)
    for path in folder.rglob("*"):
        if path.is_dir():
            share_folder(path)
        else:
            share_path(path)
