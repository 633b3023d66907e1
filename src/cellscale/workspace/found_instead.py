"""What there is where a workspace has no folder of images, and the words that would work."""

import shlex
from difflib import get_close_matches
from pathlib import Path

from cellscale.errors import RequestError, StorageError
from cellscale.storage.places import folded
from cellscale.storage.regular import oddity
from cellscale.storage.storage_errors import explained
from cellscale.storage.uri import Location, base_name, exists, join, listing, local_path
from cellscale.workspace.layout import SUBFOLDERS
from cellscale.workspace.plain_places import is_image_place

__all__ = ["require_images_folder"]

_LOOKED_INTO = 50
"""Sub-folders that are looked into for images."""


def require_images_folder(dataset: Location, subfolder: str, command: str) -> None:
    """Check that a local workspace has its folder of images.

    Parameters
    ----------
    dataset
        Path or URI of the workspace; nothing is looked for in stores.
    subfolder
        Name of the folder of images below it.
    command
        What the user called, for the words that would work.

    Raises
    ------
    RequestError
        It has none; the message says what there is instead, and what to do.
    """
    root = local_path(dataset)
    if root is None:
        return
    if root.is_file():
        words = f"For one image: {command} {_quoted(dataset)}" if is_image_place(dataset) else "Give the folder."
        raise RequestError(f"{dataset} is a file; workspace takes a folder that has images in {subfolder}. {words}")
    for place in (root, root / subfolder):
        with explained("look for", place):
            reason = oddity(place)
        if reason is not None:
            raise RequestError(f"{place}: {reason}")
    if exists(join(root, subfolder)) or exists(join(root, SUBFOLDERS.numpy)):
        return
    if not root.exists():
        raise RequestError(f"there is no folder {dataset}{_meant(root)}; check the path")
    raise RequestError(f"there is no folder {subfolder} in {dataset}{_instead(root, dataset, command)}")


def _instead(root: Path, dataset: Location, command: str) -> str:
    """Say what a folder without a folder of images holds."""
    images, folders = _look(root)
    if images and root.absolute().name == SUBFOLDERS.images:
        above = root.absolute().parent
        return f": it is itself the folder of images of a workspace. Use: {command} workspace {_quoted(above)}"
    if images:
        count = f"{len(images):,} image{'s' if len(images) > 1 else ''} ({_few(images)})"
        return f", but {count} directly in it. Use: {command} {_quoted(dataset)}"
    named = [name for name in folders if _letters(name) == _letters(SUBFOLDERS.images)]
    for name in dict.fromkeys((*named, *folders[:_LOOKED_INTO])):
        inside = _look(root / name)[0]
        if inside:
            words = f"{command} workspace --images_subdir {shlex.quote(name)} {_quoted(dataset)}"
            return f", but a folder {name} with {len(inside):,} image{'s' if len(inside) > 1 else ''}. Use: {words}"
    held = f"it holds {_few([*folders, *images])}" if folders else "it holds no folder"
    return f", and no image; {held}. Put the images into {join(root, SUBFOLDERS.images)}"


def _look(folder: Path) -> tuple[list[str], list[str]]:
    """Return the names of the images and of the folders in a folder."""
    try:
        entries = [entry for entry in listing(folder) if not entry.name.startswith((".", "~"))]
    except StorageError:
        return [], []
    images = [entry.name for entry in entries if is_image_place(entry.name)]
    return images, [entry.name for entry in entries if entry.is_folder and entry.name not in images]


def _meant(root: Path) -> str:
    """Ask for a folder of a similar name."""
    names = {folded(name): name for name in _look(root.absolute().parent)[1]}
    like = get_close_matches(folded(base_name(root)), names, 1, 0.7)
    return f" (did you mean {root.parent / names[like[0]]}?)" if like else ""


def _letters(name: str) -> str:
    return "".join(letter for letter in folded(name) if letter.isalnum())


def _few(names: list[str]) -> str:
    shown = ", ".join(name.encode("utf-8", "backslashreplace").decode() for name in names[:3])
    return f"{shown}{', ...' if len(names) > 3 else ''}"


def _quoted(place: Location) -> str:
    return shlex.quote(str(place))
