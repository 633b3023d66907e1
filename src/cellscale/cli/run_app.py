"""``cellscale-run-app mesmer ...``: the words of DeepCell's ``run_app.py``, for pipelines that change containers.

The words and what they mean are those of the README of vanvalenlab/deepcell-applications 0.4.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cellscale.cli.main import Outermost, main
from cellscale.cli.options.shared_options import CONTEXT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cellscale.images.info import Image
    from cellscale.predict.heads import Compartment

__all__ = ["command", "mesmer", "run_app"]

_COMPARTMENTS: dict[str, tuple["Compartment", ...]] = {
    "whole-cell": ("whole-cell",),
    "nuclear": ("nuclear",),
    "both": ("whole-cell", "nuclear"),
}
_LEVELS = {"DEBUG": 1, "INFO": 0, "WARN": 0, "ERROR": 0, "CRITICAL": 0}
"""How much more is said at each of DeepCell's levels."""


@click.group(cls=Outermost, lazy_commands={"mesmer": f"{__name__}:mesmer"}, context_settings=CONTEXT)
def command() -> None:
    """DeepCell's run_app.py, by cellscale."""


@click.command("mesmer", add_help_option=False, context_settings={"ignore_unknown_options": True})
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def mesmer(words: tuple[str, ...]) -> None:
    """Find the cells of one image with the Mesmer network."""
    try:
        asked = _parser().parse_args(words)
    finally:
        sys.stderr.flush()  # argparse leaves what it said to the end of the process
    _run(asked)


def run_app() -> None:
    """Run the command line."""
    main(command, "run_app.py")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="run_app.py mesmer",
        description="Find the cells of one image, with the words of DeepCell's run_app.py.",
        epilog="All else that cellscale does: cellscale --help",
    )
    add = parser.add_argument
    add("--nuclear-image", "-n", required=True, metavar="FILE", help="image with the nuclear channels")
    add("--nuclear-channel", "-nc", nargs="+", type=int, default=[0], metavar="N", help="from 0; several are summed")
    add("--membrane-image", "-m", metavar="FILE", help="image with the membrane channels; none: blank")
    add("--membrane-channel", "-mc", nargs="+", type=int, default=[0], metavar="N", help="from 0; several are summed")
    add("--image-mpp", type=float, default=0.5, metavar="UM", help="µm/px, whatever the file says; default: 0.5")
    add("--compartment", "-c", choices=tuple(_COMPARTMENTS), default="whole-cell", help="default: whole-cell")
    add("--output-directory", "-o", type=Path, default=Path("output"), metavar="FOLDER", help="default: ./output")
    add("--output-name", "-f", default="mask.tif", metavar="NAME", help="default: mask.tif; an earlier file stays")
    add("--squeeze", action="store_true", help="rows and columns alone, without axes of length 1")
    add("--batch-size", "-b", type=int, default=4, metavar="N", help="changes nothing: images are cut to fit memory")
    add("--log-level", "-L", choices=tuple(_LEVELS), default="INFO", help="DEBUG says more")
    add("--model-path", metavar="FILE", help="cellscale's own: another network than the installed Mesmer weights")
    return parser


def _run(asked: argparse.Namespace) -> None:
    """Find the cells, and write their labels."""
    from cellscale.api import segment
    from cellscale.cli.output.printable import printable
    from cellscale.cli.output.progress import SteadyConsole, listening
    from cellscale.errors import RequestError

    target = asked.output_directory / asked.output_name
    if target.exists():
        raise RequestError(f"{target} exists already, and is left as it is; remove it, or give another --output-name")
    _require_writable(target.parent)
    with ExitStack() as opened:
        listener = opened.enter_context(
            listening(SteadyConsole(stderr=True), verbose=_LEVELS[asked.log_level], log_file=None)
        )
        stains = [_stain(asked.nuclear_image, asked.nuclear_channel, "--nuclear-channel", opened)]
        if asked.membrane_image is not None:
            stains.append(_stain(asked.membrane_image, asked.membrane_channel, "--membrane-channel", opened))
        found = segment(
            _joined(stains),
            nuclear_channel="#1",
            membrane_channel="#2" if len(stains) > 1 else "none",
            image_mpp=asked.image_mpp,
            compartments=_COMPARTMENTS[asked.compartment],
            model_path=asked.model_path,
            listener=listener,
        )
        labels = [mask for mask in (found.whole_cell, found.nucleus) if mask is not None]
        _write(target, labels, squeeze=asked.squeeze)
    click.echo(printable(f"wrote {target}: {', '.join(f'{int(mask.max()):,} objects' for mask in labels)}"))


def _require_writable(folder: Path) -> None:
    """Check that a folder can be made or written to, before anything is computed."""
    from cellscale.errors import RequestError

    above = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
        what = "is read-only for you" if above.is_dir() else "is a file"
        raise RequestError(f"--output-directory {folder} cannot be written: {above} {what}; name another folder")


def _stain(path: str, numbers: Sequence[int], option: str, opened: ExitStack) -> tuple["Image", tuple[int, ...]]:
    """Open an image, and return it with the channels that are summed; a single plane has any channel."""
    from cellscale.errors import RequestError
    from cellscale.images.open import open_image

    image = opened.enter_context(closing(open_image(path)))
    count = len(image.info.channels)
    if count == 1:
        return image, (0,)
    if wrong := [number for number in numbers if not -count <= number < count]:
        raise RequestError(f"{option} {wrong[0]}: {path} has the channels 0 to {count - 1}")
    return image, tuple(number % count for number in numbers)


def _joined(stains: Sequence[tuple["Image", tuple[int, ...]]]) -> "Image":
    """Return an image with a channel for each stain, wherever they are from."""
    from dataclasses import replace

    import numpy as np

    from cellscale.errors import ImageError
    from cellscale.images.channels import combined_reader
    from cellscale.images.info import Channel
    from cellscale.regions import Region

    readers = [combined_reader(image, channels) for image, channels in stains]
    first, last = stains[0][0].info, stains[-1][0].info
    if first.shape != last.shape:
        raise ImageError(
            f"{first.uri} has {first.height} x {first.width} pixels, {last.uri} {last.height} x {last.width}; images "
            "of one size expected"
        )
    # A sum of large integers has a type that no image has; numbers up to 2^53 stay themselves.
    kind = np.result_type(*(reader(Region(0, 0, 1, 1)).dtype for reader in readers))
    names = ("nucleus", "membrane")
    info = replace(
        first,
        dtype=np.dtype(np.float64) if kind.itemsize == 8 else kind,
        channels=tuple(Channel(index, names[index]) for index in range(len(readers))),
        levels=(),
    )

    class Joined:
        """Reads each stain from its own file."""

        def __init__(self) -> None:
            self.info = info

        def read(self, channels: tuple[int, ...], region: Region, level: int = 0) -> "NDArray[Any]":
            """Return the pixels as ``(len(channels), rows, columns)``."""
            return np.stack([readers[channel](region).astype(info.dtype, copy=False) for channel in channels])

        def close(self) -> None:
            """Leave the files to who opened them."""

    return Joined()


def _write(target: Path, labels: Sequence["NDArray[Any]"], *, squeeze: bool) -> None:
    """Write labels as DeepCell lays them out: images, rows, columns, compartments; uncompressed."""
    import numpy as np
    import tifffile

    from cellscale.storage.atomic import atomic_write
    from cellscale.storage.storage_errors import explained

    stacked = np.stack(labels, axis=-1)[np.newaxis]
    with explained("make", target.parent):
        target.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(target) as file:
        tifffile.imwrite(file, stacked.squeeze() if squeeze else stacked)
