"""Where the names of a dataset's channels are listed."""

from collections.abc import Sequence

from cellscale.errors import RequestError, StorageError
from cellscale.images.channels import LIST_NAMES, GivenNames, parse_names
from cellscale.storage.uri import Entry, Location, base_name, read_bytes

__all__ = ["NO_LIST", "list_beside", "list_named"]

NO_LIST = "none"
"""Asks for the names in the images' own files."""


def list_named(location: Location) -> GivenNames:
    """Return the names in the list that a user names.

    Raises
    ------
    RequestError
        It cannot be read, or is no list of names.
    """
    try:
        content = read_bytes(location)
    except StorageError as error:
        raise RequestError(f"--channel_names: {error}") from error
    source = base_name(location)
    return GivenNames(names=parse_names(content, f"--channel_names {source}"), source=source, asked_for=True)


def list_beside(files: Sequence[Entry]) -> GivenNames | None:
    """Return the names in the list that lies in the images' folder, if there is one.

    Parameters
    ----------
    files
        What is in the folder.
    """
    found = {file.name.lower(): file for file in files if not file.is_folder}
    file = next((found[name] for name in LIST_NAMES if name in found), None)
    if file is None:
        return None
    if file.problem is not None:
        return GivenNames(names=(), source=file.name, asked_for=False, problem=f"{file.name}: {file.problem}")
    try:
        names = parse_names(read_bytes(file.location), file.name)
    except (RequestError, StorageError) as error:
        return GivenNames(names=(), source=file.name, asked_for=False, problem=str(error))
    return GivenNames(names=names, source=file.name, asked_for=False)
