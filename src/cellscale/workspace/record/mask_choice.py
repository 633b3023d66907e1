"""Which of an image's mask files are taken: those of its record, not what an earlier run left beside them."""

from collections.abc import Sequence
from types import MappingProxyType

from cellscale.predict.heads import Compartment
from cellscale.storage.uri import Entry, Location, find, join
from cellscale.workspace.layout import mask_name
from cellscale.workspace.mask_files import find_mask
from cellscale.workspace.record.ledger import Ledger

__all__ = ["FORMATS", "SUFFIXES", "mask_of_record"]

SUFFIXES = (".tiff", ".ome.zarr")
"""Of masks; where several are alike, the first is taken."""

FORMATS = MappingProxyType({"tiff": (".tiff",), "ome-zarr": (".ome.zarr",), "both": SUFFIXES})
"""What is written for each ``--mask_format``."""


def mask_of_record(
    segmasks: Location, ledger: Ledger, compartment: Compartment, suffixes: Sequence[str] = SUFFIXES
) -> Entry | None:
    """Return an image's mask of a compartment; None where there is none.

    Of two files that are there (TIFF and OME-Zarr), one that cellscale made for other options or another image than
    the last segmentation is passed over. A person's file is taken as any other; where the names of ours are free, one
    with another usual ending.

    Parameters
    ----------
    segmasks
        Folder of masks.
    ledger
        The image's record.
    compartment
        What is segmented.
    suffixes
        Of the files, in the order in which they are taken.

    Raises
    ------
    StorageError
        It cannot be known.
    """
    places = [join(segmasks, mask_name(ledger.image, compartment, suffix)) for suffix in suffixes]
    found = [entry for entry in map(find, places) if entry is not None]
    if not found:
        return find_mask(segmasks, ledger.image, compartment)
    if len(found) == 1:
        return found[0]
    records = [ledger.record("segmentation", entry.location) for entry in found]
    fresh = [
        entry
        for entry, record in zip(found, records, strict=True)
        if record is None
        or ledger.is_newest("segmentation", entry.location)
        or not ledger.made("segmentation", entry.location)
    ]
    return (fresh or found)[0]
