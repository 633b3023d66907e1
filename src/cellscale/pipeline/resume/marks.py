"""Hashes of all that an image's tables and pictures depend on: content of files, and options."""

from collections.abc import Mapping
from typing import Any

from cellscale.pipeline.area import choice_mark
from cellscale.pipeline.image_run import ImageRun
from cellscale.pipeline.request import ChannelChoice, ImageChoice, Measuring, Request
from cellscale.pipeline.resume.decision import identity_of
from cellscale.pipeline.resume.names_mark import names_mark
from cellscale.pipeline.resume.state import fingerprint
from cellscale.predict.heads import Compartment
from cellscale.storage.uri import Entry
from cellscale.workspace.discovery import ImageEntry
from cellscale.workspace.record import Ledger

__all__ = ["counts_mark", "earlier_files", "earlier_measurement_mark", "files_by_content", "measurement_mark"]


def counts_mark(segmented: Mapping[str, Any]) -> str:
    """Return a hash of the counts on record of masks, by which counts of tables of other masks are known."""
    return fingerprint({name: segmented.get(name, {}) for name in ("objects", "regions")})


def files_by_content(
    run: ImageRun, entry: ImageEntry, images: ImageChoice, ledger: Ledger, masks: Mapping[Compartment, Entry]
) -> dict[str, Any]:
    """Return what an image's files and masks hold, and names of channels from a list.

    Files are read only where their sizes or times are not those on record.

    Raises
    ------
    ImageError, StorageError
        A file is not there or cannot be read.
    """
    identity = identity_of(run, entry, images, ledger)
    hashes = {}
    for compartment, mask in masks.items():
        content = ledger.look("segmentation", mask.location, hashed=True)
        hashes[compartment] = None if content is None else content.hash
    return {"image": identity.facts, "masks": hashes, **names_mark(entry)}


def measurement_mark(
    run: ImageRun, entry: ImageEntry, request: Request, ledger: Ledger, masks: Mapping[Compartment, Entry]
) -> str:
    """Return a hash of all that the tables depend on, but the version of cellscale."""
    return fingerprint(
        {
            **files_by_content(run, entry, request.images, ledger, masks),
            "options": _options(request.channels, request.measuring),
            **choice_mark(request, entry),
        }
    )


def earlier_measurement_mark(
    entry: ImageEntry, channels: ChannelChoice, measuring: Measuring, masks: Mapping[Compartment, Entry]
) -> str:
    """Return the same as version 0.2 wrote it, which went by the times of files."""
    return fingerprint({**earlier_files(entry, masks), "options": _options(channels, measuring)})


def earlier_files(entry: ImageEntry, masks: Mapping[Compartment, Entry]) -> dict[str, Any]:
    """Return sizes and times of an image's files, by which version 0.2 knew them, with names from a list."""
    return {
        "image": [entry.marker, entry.size],
        "masks": {compartment: [mask.name, mask.size, mask.marker] for compartment, mask in masks.items()},
        **names_mark(entry),
    }


def _options(channels: ChannelChoice, measuring: Measuring) -> list[Any]:
    return [
        measuring.matching,
        measuring.qupath_version,
        channels.mpp,
        *measuring.exports,
    ]
