"""``cellscale simulate``: tissue with known truth."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from cellscale.cli.options.shared_options import SectionedCommand, name_list

if TYPE_CHECKING:
    from cellscale.simulate.simulated_dataset import Dataset, Listener

__all__ = ["simulate"]


def side_lengths(text: str) -> tuple[int, int]:
    """Read ``1024`` or ``1024x2048``: rows, then columns."""
    parts = text.lower().split("x")
    if len(parts) > 2 or not all(part.strip().isdecimal() for part in parts):
        raise click.BadParameter(
            f"{text!r} is no size; write pixels, such as 1024, or rows x columns, such as 1024x2048"
        )
    return int(parts[0]), int(parts[-1])


def channel_choice(text: str) -> tuple[str, ...] | int:
    """Read how many channels, or their names."""
    return int(text) if text.strip().isdecimal() else name_list(text)


class _Folder(click.Path):
    """A folder that has a name: an empty one, of a variable that is not set, would be the current folder."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the folder's path."""
        if value == "":
            self.fail("is empty; name the folder that the images go to", param, ctx)
        return super().convert(value, param, ctx)


@click.command(cls=SectionedCommand, short_help="Simulate images of tissue with known cells.")
@click.argument("out", type=_Folder(path_type=Path, file_okay=False))
@click.option("--images", default=1, show_default=True, metavar="N", help="How many images.")
@click.option(
    "--size",
    type=side_lengths,
    default="1024",
    show_default=True,
    metavar="PX",
    help="Side, or ROWSxCOLUMNS, of each.",
)
@click.option(
    "--channels",
    type=channel_choice,
    default="DAPI,Membrane,PanCK,CD3,CD8,CD20,CD68,Ki67",
    show_default=True,
    metavar="N|NAMES",
    help="How many channels, or their names, separated by commas.",
)
@click.option("--seed", default=0, show_default=True, metavar="S", help="The same seed gives the same bytes.")
@click.option("--truth", is_flag=True, help="Also write masks of cells and nuclei and a table of cells to OUT/TRUTH.")
@click.option("--dtype", type=click.Choice(["uint8", "uint16"]), default="uint16", show_default=True)
@click.option(
    "--workers", type=click.IntRange(1), metavar="N", help="Threads; as many as there are cores by default."
)
@click.option("--overwrite", is_flag=True, help="Replace images that are already there.")
def simulate(
    out: Path,
    *,
    images: int,
    size: tuple[int, int],
    channels: tuple[str, ...] | int,
    seed: int,
    truth: bool,
    dtype: Literal["uint8", "uint16"],
    workers: int | None,
    overwrite: bool,
) -> None:
    """Simulate multiplexed images of tissue, with known truth, as OME-TIFFs in OUT/OMETIFF."""
    from cellscale.simulate.simulated_dataset import Dataset
    from cellscale.simulate.simulated_dataset import simulate as simulate_images

    _require_own_folder(out)
    dataset = Dataset(size, images=images, channels=channels, seed=seed, dtype=dtype, truth=truth)
    with _progress(dataset) as listen:
        made = simulate_images(
            out, dataset, overwrite=overwrite, workers=workers or os.cpu_count() or 1, listen=listen
        )
    for image in made:
        click.echo(f"{image.path}{' (was there)' if image.skipped else ''}")


def _require_own_folder(out: Path) -> None:
    """Refuse a folder with images that are no simulated ones: a later run would take both kinds for one dataset."""
    from cellscale.errors import RequestError
    from cellscale.storage.uri import exists, listing
    from cellscale.workspace.layout import SUBFOLDERS
    from cellscale.workspace.plain_places import is_image_place

    for folder in (out, out / SUBFOLDERS.images):
        names = [entry.name for entry in listing(folder) if is_image_place(entry.name)] if exists(folder) else []
        others = [name for name in names if folder == out or not name.startswith("tissue_")]
        if others:
            few = ", ".join(others[:3]) + (", ..." if others[3:] else "")
            raise RequestError(f"{folder} holds images that are not simulated ({few}); name a new folder")


@contextmanager
def _progress(dataset: "Dataset") -> Iterator["Listener"]:
    """Show a bar for each image at a terminal, nothing elsewhere."""
    from rich.console import Console
    from rich.progress import Progress, TaskID

    pixels = dataset.shape[0] * dataset.shape[1] * (1 + 2 * dataset.truth)
    bars: dict[str, TaskID] = {}
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:

        def listen(name: str, made: int) -> None:
            if name not in bars:
                bars[name] = progress.add_task(name, total=pixels)
            progress.advance(bars[name], made)

        yield listen
