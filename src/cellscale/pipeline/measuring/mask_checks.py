"""Whether an image's masks belong together, and to the image as it is now, until what is made of them is written."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from cellscale.errors import ImageError, MaskError
from cellscale.pipeline.image_run import ImageRun
from cellscale.pipeline.request import Request
from cellscale.pipeline.resume import require_right
from cellscale.predict.heads import Compartment
from cellscale.storage.content import seen
from cellscale.storage.uri import Entry
from cellscale.workspace.discovery import ImageEntry
from cellscale.workspace.identity import Identity
from cellscale.workspace.layout import mask_name
from cellscale.workspace.record import SUFFIXES, Ledger

__all__ = ["Unchanged", "compare_image", "require_one_run", "tell_of_lacking", "unchanged"]

Unchanged: TypeAlias = Callable[[], None]
"""Raises `ImageError` or `MaskError` where what something is made of is no longer what it was."""


def tell_of_lacking(run: ImageRun, request: Request, ledger: Ledger, masks: Mapping[Compartment, Entry]) -> None:
    """Say which of the masks that may be measured are not there; a warning where one was made here and is gone."""
    for compartment in request.compartments:
        if compartment not in masks:
            names = [mask_name(ledger.image, compartment, suffix) for suffix in SUFFIXES]
            is_lost = any(name in ledger.records("segmentation") for name in names)
            why = "is not there any more" if is_lost else "is not there"
            run.notice(
                f"{names[0]} {why} in {request.paths.segmasks}: only the {', '.join(masks)} mask is measured",
                "warning" if is_lost else "info",
            )


def require_one_run(ledger: Ledger, masks: Mapping[Compartment, Entry]) -> None:
    """Check that an image's masks are of the same pixels, and that no segmentation was stopped between them.

    Raises
    ------
    MaskError
        They are not, or may not be.
    StorageError
        A mask cannot be read.
    """
    records = {mask.name: ledger.record("segmentation", mask.location) for mask in masks.values()}
    of_maps = {
        record.made_from.partition(" ")[0] for record in records.values() if record and " " in record.made_from
    }
    if len(of_maps) > 1 and all(ledger.made("segmentation", mask.location) for mask in masks.values()):
        raise MaskError(
            f"{', '.join(str(mask.location) for mask in masks.values())} were made of different images, channels or "
            "networks. Run cellscale segment, or segment-and-measure, again, or measure one with --compartment"
        )
    unfinished = set(ledger.unfinished("segmentation"))
    halves = [
        mask for mask in masks.values() if mask.name in unfinished and not ledger.made("segmentation", mask.location)
    ]
    if halves:
        raise MaskError(
            f"a segmentation of this image was stopped before all its masks were written: "
            f"{', '.join(str(mask.location) for mask in halves)} may be of another run than the other masks. Run "
            "cellscale segment, or segment-and-measure, again"
        )


def compare_image(run: ImageRun, segment: bool, ledger: Ledger, identity: Identity, image: str) -> None:
    """Tell where the image is another one than the masks were made from.

    Raises
    ------
    ImageError
        It was replaced since this run made the masks.
    """
    made_of = ledger.facts("segmentation").get("image")
    if made_of is None or made_of == identity.facts:
        return
    if segment:
        raise ImageError(f"{image} changed after it was segmented; run the same command again when it is whole")
    run.notice(
        f"{image} is another image, or was changed, since its masks were made; they are measured as they are "
        "(segment-and-measure makes them again)",
        "warning",
    )


def unchanged(
    run: ImageRun, entry: ImageEntry, identity: Identity, ledger: Ledger, masks: Mapping[Compartment, Entry]
) -> Unchanged:
    """Return a check that an image and its masks are what they are now; to be called before each file is committed.

    Nothing is read as long as sizes, times and inodes are the same. It may be called from any thread.

    Parameters
    ----------
    run
        Which must not write any more when another one has taken the dataset over.
    entry, identity
        The image, and what it held when the work on it began.
    ledger
        The image's record.
    masks
        The masks.

    Raises
    ------
    StorageError
        A mask cannot be read.
    """
    held = {mask.location: ledger.look("segmentation", mask.location, hashed=True) for mask in masks.values()}

    def check() -> None:
        require_right(run, entry, identity)
        for location, before in held.items():
            now = seen(location, before)
            if before is None or now is None or now.hash != before.hash:
                raise MaskError(
                    f"{location} changed while it was worked on; nothing was made of the mixture. Run the same "
                    "command again when it is whole"
                )

    return check
