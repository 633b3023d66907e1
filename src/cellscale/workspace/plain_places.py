"""Plain files and folders of images as datasets: what is made of them lies beside them."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from cellscale.errors import RequestError, StorageError
from cellscale.images.image_names import SUFFIXES, is_zarr, other_suffixes
from cellscale.storage.uri import Location, base_name, exists, find, listing, local_path
from cellscale.workspace.layout import SUBFOLDERS, WorkspacePaths, workspace_paths

__all__ = ["dataset_paths", "is_image_place", "plain_dataset"]

_IMAGES = tuple(suffix for suffix in SUFFIXES if suffix != ".npz")


def is_image_place(location: Location) -> bool:
    """Tell whether a file or folder is an image by its name, and no folder of images."""
    return base_name(location).lower().endswith((*_IMAGES, *other_suffixes()))


def plain_dataset(places: Sequence[str]) -> tuple[WorkspacePaths, tuple[str, ...]]:
    """Return the dataset that is meant by images, or by one folder of them, and which of its files.

    Outputs go to the folders of a workspace beside the images: ``SEGMASK``, ``REPORTS``, ``PROJ`` and ``jobs``.
    Images in the folder of images of a workspace, or the workspace itself, are that workspace.

    Parameters
    ----------
    places
        Paths or URIs: image files (or OME-Zarr folders) of one folder, or one folder.

    Returns
    -------
    The dataset's folders, and the names of the files that are meant; none for all.

    Raises
    ------
    RequestError
        They are not there, or no one dataset.
    """
    images = [place.rstrip("/") if is_zarr(place) else place for place in places]
    if len(images) == 1 and not _is_image(images[0]):
        return _folder_dataset(images[0]), ()
    folders: dict[str, Location] = {}
    for image in images:
        if not is_image_place(image):
            raise RequestError(
                f"{image} is no image by its name; expected images of one folder, or one folder alone. Images end in "
                f"{', '.join(_IMAGES)}."
            )
        _require(image, f"there is no image {image}")
        folder = _above(image)
        folders[str(folder)] = folder
    if len(folders) > 1:
        raise RequestError(
            f"the images lie in {len(folders)} folders ({', '.join(folders)}); give those of one folder at a time: "
            "what is made of them goes beside them"
        )
    return _folder_dataset(next(iter(folders.values()))), tuple(dict.fromkeys(map(base_name, images)))


def dataset_paths(dataset: Location) -> WorkspacePaths:
    """Return the folders of a workspace, or of a plain folder of images where a workspace's are not there."""
    paths = workspace_paths(dataset)
    if local_path(dataset) is None or exists(paths.images) or not _holds_images(dataset):
        return paths
    return _beside(paths, dataset)


def _folder_dataset(folder: Location) -> WorkspacePaths:
    if not str(folder):
        raise RequestError("the folder's name is empty; give the folder that holds the images")
    paths = workspace_paths(folder)
    if local_path(folder) is not None:
        _require(folder, f"there is no file or folder {folder}")
    if base_name(str(folder).rstrip("/")) == SUBFOLDERS.images:
        return workspace_paths(_above(str(folder).rstrip("/")))
    if local_path(folder) is not None and exists(paths.images) and not _holds_images(folder):
        return paths
    return _beside(paths, folder)


def _require(place: Location, absent: str) -> None:
    try:
        found = find(place)
    except StorageError as error:  # it cannot be known, or is a link to nothing
        raise RequestError(str(error)) from error
    if found is None:
        raise RequestError(f"{absent}; check the path")


def _beside(paths: WorkspacePaths, folder: Location) -> WorkspacePaths:
    """Return a workspace's folders, but with its images directly in it."""
    images = local_path(folder)
    return replace(paths, images=Path(paths.jobs).parent if images else str(folder).rstrip("/"), numpy=None)


def _holds_images(folder: Location) -> bool:
    try:
        return any(is_image_place(entry.name) and not entry.name.startswith((".", "~")) for entry in listing(folder))
    except StorageError:
        return False


def _is_image(place: Location) -> bool:
    path = local_path(place)
    # A name without an ending of images is a folder's where nothing is there: then that is told.
    return is_image_place(place) or (path is not None and path.is_file())


def _above(place: Location) -> Location:
    path = local_path(place)
    return str(place).rpartition("/")[0] if path is None else path.absolute().parent
