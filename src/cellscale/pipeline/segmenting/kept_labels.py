"""Masks that are there already: with the labels that are wanted, in another format, and those not asked for."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

from cellscale.images.masks import Mask, open_mask
from cellscale.pipeline.request import Request
from cellscale.pipeline.segmenting.mask_marks import MaskMarks
from cellscale.predict.heads import COMPARTMENTS, Compartment
from cellscale.storage.uri import Location, join
from cellscale.workspace.layout import mask_name
from cellscale.workspace.record import FORMATS, SUFFIXES, Ledger

__all__ = ["masks_not_asked", "opened_labels", "with_same_labels"]


def with_same_labels(
    segmasks: Location,
    ledger: Ledger,
    marks: MaskMarks,
    to_make: Mapping[Compartment, Sequence[Location]],
) -> dict[Compartment, Location] | None:
    """Return masks that have the labels of those to be made, by compartment; None where there is not one for each.

    Parameters
    ----------
    segmasks
        Folder of masks.
    ledger
        The image's record.
    marks
        What the masks to be made depend on.
    to_make
        Masks to be made, of which there is at least one.

    Raises
    ------
    StorageError
        A mask cannot be read.
    """
    if not ledger.facts("segmentation"):
        return None
    found = {}
    for compartment, group in to_make.items():
        if not group:
            continue
        places = [join(segmasks, mask_name(ledger.image, compartment, suffix)) for suffix in SUFFIXES]
        like = [place for place in places if place not in group and _has(ledger, place, marks.masks[compartment])]
        if not like:
            return None
        found[compartment] = like[0]
    return found


def _has(ledger: Ledger, place: Location, mark: str) -> bool:
    record = ledger.record("segmentation", place)
    return record is not None and record.made_from == mark and ledger.made("segmentation", place)


@contextmanager
def opened_labels(
    masks: Mapping[Compartment, Location], shape: tuple[int, int], cache_bytes: int
) -> Iterator[dict[Compartment, Mask]]:
    """Open masks to read their labels.

    Parameters
    ----------
    masks
        What `with_same_labels` found.
    shape
        Rows and columns of the image.
    cache_bytes
        Memory for decoded labels of each.
    """
    with ExitStack() as stack:
        yield {
            compartment: stack.enter_context(open_mask(place, expect_shape=shape, cache_bytes=cache_bytes))
            for compartment, place in masks.items()
        }


def masks_not_asked(request: Request, ledger: Ledger) -> list[Location]:
    """Return masks that earlier runs may have made, and a run is not asked for.

    They are those of the same compartments in other formats, and those of other compartments that a stopped run had
    begun and of which there are no earlier ones: masks of the other compartment else stay good.

    Parameters
    ----------
    request
        What is asked.
    ledger
        The image's record.
    """
    wanted = FORMATS[request.segmenting.mask_format]
    known, begun = ledger.records("segmentation"), ledger.unfinished("segmentation")
    names = []
    for compartment in COMPARTMENTS:
        for suffix in SUFFIXES:
            name = mask_name(ledger.image, compartment, suffix)
            asked = compartment in request.compartments
            if (asked and suffix not in wanted) or (not asked and name in begun and name not in known):
                names.append(name)
    return [join(request.paths.segmasks, name) for name in names]
