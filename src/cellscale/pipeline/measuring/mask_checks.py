"""Whether an image's masks belong together, and to the image as it is now."""

from collections.abc import Mapping

from cellscale.errors import ImageError, MaskError
from cellscale.pipeline.image_run import ImageRun
from cellscale.pipeline.request import Request
from cellscale.predict.heads import Compartment
from cellscale.storage.uri import Entry
from cellscale.workspace.identity import Identity
from cellscale.workspace.record import Ledger

__all__ = ["compare_image", "require_one_run"]


def require_one_run(ledger: Ledger, masks: Mapping[Compartment, Entry]) -> None:
    """Check that no segmentation was stopped between the masks of an image.

    Raises
    ------
    MaskError
        One was: the masks may be of different runs.
    StorageError
        A mask cannot be read.
    """
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


def compare_image(run: ImageRun, request: Request, ledger: Ledger, identity: Identity, image: str) -> None:
    """Tell where the image is another one than the masks were made from.

    Raises
    ------
    ImageError
        It was replaced since this run made the masks.
    """
    made_of = ledger.facts("segmentation").get("image")
    if made_of is None or made_of == identity.facts:
        return
    if request.segment:
        raise ImageError(f"{image} changed after it was segmented; run the same command again when it is whole")
    run.notice(
        f"{image} is another image, or was changed, since its masks were made; they are measured as they are "
        "(segment-and-measure makes them again)",
        "warning",
    )
