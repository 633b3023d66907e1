"""An image opened for looking at it: the channels that the network saw, and the masks."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager

from cellscale.errors import ChannelError
from cellscale.images.channels import ChannelSelection, combined_reader, select_channels
from cellscale.images.info import Image, ImageInfo
from cellscale.images.masks import open_mask
from cellscale.images.open import open_image
from cellscale.images.pixel_size import choose_pixel_size
from cellscale.label.parameters import BLOCK
from cellscale.pipeline.request import ChannelChoice
from cellscale.predict.heads import Compartment
from cellscale.preprocess.preprocessing import MODEL_MPP
from cellscale.regions import RegionReader
from cellscale.report.findings import Role
from cellscale.report.pictures import cell_size, overview_level
from cellscale.report.subject import Shown, Subject
from cellscale.storage.uri import Entry
from cellscale.workspace.discovery import ImageEntry
from cellscale.workspace.entry_image import open_entry_image

__all__ = ["open_subject"]

IMAGE_CACHE = 64 * 2**20
"""Bytes of decoded pixels that are kept: parts that are read one after another share little."""

MASK_CACHE = 16 * 2**20
"""Bytes of decoded labels that are kept of each mask."""


@contextmanager
def open_subject(
    entry: ImageEntry,
    segment: bool,
    channels: ChannelChoice,
    masks: Mapping[Compartment, Entry],
    *,
    masks_are_ours: bool,
    network_mpp: float = MODEL_MPP,
) -> Iterator[Subject]:
    """Open an image with its masks.

    Parameters
    ----------
    entry
        The image.
    segment
        Whether the masks were made in this run.
    channels
        Which channels were, or would be, segmented from.
    masks
        Where the masks are.
    masks_are_ours
        Whether they were segmented from these channels, and not by another tool.
    network_mpp
        µm/px of the network that they were made with, which tells where its blocks meet.

    Raises
    ------
    ImageError
        A file is damaged, a mask does not fit, or a channel that was to be segmented cannot be found.
    """
    with ExitStack() as stack:

        def opened(image: Image) -> Image:
            return stack.enter_context(closing(image))

        image = None if entry.image is None else opened(open_entry_image(entry, cache_bytes=IMAGE_CACHE))
        arrays = None if entry.npz is None else opened(open_image(str(entry.npz), cache_bytes=IMAGE_CACHE))
        described = image or arrays
        assert described is not None, "an entry has an image or an NPZ file"
        info = described.info
        size = choose_pixel_size(info, channels.mpp)
        opened_masks = {
            compartment: stack.enter_context(
                open_mask(mask.location, expect_shape=info.shape, cache_bytes=MASK_CACHE)
            )
            for compartment, mask in masks.items()
        }
        yield Subject(
            image=described,
            shown=_shown(arrays or described, described, segment, channels, masks_are_ours=masks_are_ours),
            masks={compartment: mask.read for compartment, mask in opened_masks.items()},
            masks_in_strips=any(_in_strips(mask.info) for mask in opened_masks.values()),
            pixel_size=size.size,
            pixel_size_source=size.source,
            seams=BLOCK * network_mpp / size.mpp,
        )


def _shown(source: Image, image: Image, segment: bool, channels: ChannelChoice, *, masks_are_ours: bool) -> Shown:
    """Return the two channels of ``source`` that pictures show, and their roles in ``image``."""
    selection = _selection(source.info, segment, channels, from_npz=source is not image or _is_npz(source.info))
    level = overview_level(source, cell_size(source.info.shape))

    def readers(where: Image) -> tuple[RegionReader, RegionReader]:
        nucleus, membrane = selection.nuclear, selection.membrane
        combine = channels.combine
        return combined_reader(where, nucleus, combine), combined_reader(where, membrane, combine)

    roles: dict[int, Role] = {}
    if source is image:
        roles |= dict.fromkeys(selection.membrane, "membrane")
        roles |= dict.fromkeys(selection.nuclear, "nucleus")
    return Shown(
        full=readers(source),
        small=readers(level),
        small_shape=level.info.shape,
        in_strips=_in_strips(level.info),
        small_factor=level.factor,
        nucleus=selection.nuclear_text,
        membrane=selection.membrane_text,
        roles=roles,
        membrane_wanted=masks_are_ours and (bool(selection.membrane) or not channels.membrane),
    )


def _in_strips(info: ImageInfo) -> bool:
    return info.chunk[1] >= info.width


def _is_npz(info: ImageInfo) -> bool:
    return str(info.uri).lower().endswith(".npz")


def _selection(info: ImageInfo, segment: bool, channels: ChannelChoice, *, from_npz: bool) -> ChannelSelection:
    """Return the channels that were, or would be, segmented from; for measuring alone any, if there are none such."""
    if from_npz:
        return ChannelSelection((0,), (1,), "the NPZ file's first", "the NPZ file's second")
    try:
        return select_channels(info, channels.nuclear, channels.membrane)
    except ChannelError:
        if segment:
            raise
        first = info.channels[0]
        text = f"#1 {first.name} (the first: no channel has a usual name of a nuclear stain)"
        return ChannelSelection((0,), (), text, "blank (not looked for)")
