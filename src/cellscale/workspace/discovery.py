"""Which images a dataset has."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace

from cellscale.errors import NoImagesError, RequestError, StorageError
from cellscale.images.channels import GivenNames
from cellscale.images.image_names import TIFF_SUFFIXES, image_name, other_suffixes
from cellscale.images.info import ChannelAxis
from cellscale.storage.places import same_place
from cellscale.storage.uri import Entry, Location, listing
from cellscale.workspace.channel_lists import NO_LIST, list_beside, list_named
from cellscale.workspace.layout import WorkspacePaths, is_mask_name
from cellscale.workspace.subfolders import entries_below

__all__ = ["ImageEntry", "discover"]

_SHOWN = 20
_EXPECTED = (
    "OME-TIFF (.ome.tif, .ome.tiff, .tif, .tiff, .btf, .tf2, .tf8, .qptiff) or OME-Zarr (.ome.zarr, .zarr) images"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageEntry:
    """One image of a dataset, as the folders show it; nothing is opened yet."""

    name: str
    """File name without its suffix; all outputs are named after it. Bytes that are not UTF-8 are escaped."""

    image: Location | None
    """The image file; None where there is only an NPZ file."""

    npz: Location | None = None
    """The NPZ file that replaces the image's pixels for segmentation, where there is one."""

    size: int = 0
    """Bytes of the file; 0 for an OME-Zarr folder."""

    marker: str = ""
    """Changes whenever the file's content does."""

    problem: str | None = None
    """Why the image cannot be processed, where its name alone says so."""

    channel_names: GivenNames | None = None
    """Names of its channels from a list, where there is one."""

    channel_axis: ChannelAxis | None = None
    """The axis along which its channels are, where the user says so."""


def discover(
    paths: WorkspacePaths,
    image_filter: str = "",
    channel_names: Location | None = None,
    channel_axis: ChannelAxis | None = None,
    *,
    recursive: bool = False,
) -> list[ImageEntry]:
    """List the images of a dataset, by name; each folder is listed once.

    Two files that would have the same outputs give one entry with a ``problem``. Hidden and temporary files are no
    images.

    Parameters
    ----------
    paths
        Folders of the dataset.
    image_filter
        Take only images whose file name begins so; empty for all.
    channel_names
        List of the channels' names; None for one that lies beside the images, ``none`` for none.
    channel_axis
        The axis along which channels are in the files; None for that of channels.
    recursive
        Take the images of all folders below as well, each called by its path with ``_`` for the borders of folders.

    Raises
    ------
    RequestError
        The folder is missing, unreadable or holds no image, or none that passes the filter; or the list of names
        cannot be read.
    """
    given = None if channel_names in (None, NO_LIST) else list_named(channel_names or "")
    numpy = _by_name(_entries(paths.numpy, required=False), _npz_name) if paths.numpy else {}
    listed_by: Callable[[Location], list[Entry]] = (lambda _: entries_below(paths)) if recursive else listing
    files = _entries(paths.images, listed_by, required=not numpy)
    images = _by_name(files, _image_name)
    if same_place(paths.images, paths.segmasks):
        images = {name: files for name, files in images.items() if not is_mask_name(name)}
    found = [_entry(name, images.get(name, []), numpy.get(name, [])) for name in sorted(images.keys() | numpy.keys())]
    if not found:
        raise RequestError(f"there is no image in {paths.images}; expected {_EXPECTED}")
    chosen = [entry for entry in found if entry.name.startswith(image_filter)]
    if not chosen:
        names = _bounded([entry.name for entry in found])
        case = any(entry.name.casefold().startswith(image_filter.casefold()) for entry in found)
        meant = " (upper and lower case letters differ)" if case else ""
        raise RequestError(
            f"no image's name begins with {image_filter!r}{meant}; in {paths.images} there are: {names}"
        )
    listed = list_beside(files) if channel_names is None else given
    return [replace(entry, channel_names=listed, channel_axis=channel_axis) for entry in chosen]


def _by_name(files: list[Entry], name_of: Callable[[Entry], str | None]) -> dict[str, list[Entry]]:
    """Return files under the names of the images they belong to."""
    found: dict[str, list[Entry]] = defaultdict(list)
    for entry in files:
        name = None if entry.name.startswith((".", "~")) else name_of(entry)
        if name:
            found[_escaped(name)].append(entry)
    return found


def _entries(folder: Location, listed: Callable[[Location], list[Entry]] = listing, *, required: bool) -> list[Entry]:
    try:
        return listed(folder)
    except StorageError as error:
        if not isinstance(error.__cause__, FileNotFoundError):
            raise NoImagesError(str(error)) from error
        if not required:
            return []
        raise NoImagesError(f"there is no folder {folder}; expected one with {_EXPECTED}") from error


def _image_name(entry: Entry) -> str | None:
    name = entry.name.lower()
    return image_name(entry.name) if name.endswith((".zarr", *TIFF_SUFFIXES, *other_suffixes())) else None


def _npz_name(entry: Entry) -> str | None:
    return image_name(entry.name) if entry.name.lower().endswith(".npz") else None


def _oddity(entry: Entry) -> str | None:
    """Return why something cannot be what its name says, where its folder tells."""
    is_zarr = entry.name.lower().endswith(".zarr")
    if entry.problem is not None:
        reason = entry.problem
    elif entry.is_folder and not is_zarr and not entry.name.lower().endswith(other_suffixes()):
        reason = "it is a folder, a file is expected"
    elif is_zarr and not entry.is_folder:
        reason = "it is a file, a folder is expected: unpack it, or convert it to OME-TIFF"
    else:
        return None
    return f"{_escaped(entry.name)} cannot be read: {reason}; or move it out of the folder"


def _entry(name: str, images: list[Entry], arrays: list[Entry]) -> ImageEntry:
    image, npz = (files[0] if files else None for files in (images, arrays))
    source = image or npz
    unreadable = next((file.name for file in images + arrays if file.name != _escaped(file.name)), None)
    if unreadable is not None:
        return ImageEntry(
            name=name,
            image=_escaped(str(source.location)) if source else None,  # never opened, but written into records
            problem=f"the file name {_escaped(unreadable)} is not UTF-8, as it happens with old shares and archives; "
            "no table or report could hold it: rename the file",
        )
    return ImageEntry(
        name=name,
        image=image.location if image else None,
        npz=npz.location if npz else None,
        size=source.size if source else 0,
        marker="+".join(file.marker for file in (image, npz) if file),
        problem=_conflict(images) or _conflict(arrays) or next(filter(None, map(_oddity, images + arrays)), None),
    )


def _escaped(name: str) -> str:
    """Return a name of which every program can write every letter."""
    return name.encode("utf-8", "backslashreplace").decode()


def _conflict(files: list[Entry]) -> str | None:
    if len(files) < 2:
        return None
    names = _bounded([file.name for file in files])
    return f"{len(files)} files would have the same outputs: {names}; rename or move all but one"


def _bounded(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
