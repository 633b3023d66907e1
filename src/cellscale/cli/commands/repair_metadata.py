"""``cellscale repair-metadata``: OME-XML that QuPath reads."""

from collections import Counter
from pathlib import Path

import click

from cellscale.cli.options.shared_options import SectionedCommand
from cellscale.errors import RequestError

__all__ = ["repair_metadata"]


@click.command("repair-metadata", cls=SectionedCommand, short_help="Correct OME-XML that QuPath does not read.")
@click.argument("image", type=click.Path(path_type=Path))
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="File of the corrected copy.")
@click.option("--in_place", is_flag=True, help="Correct the image itself rather than a copy.")
def repair_metadata(image: Path, *, output: Path | None, in_place: bool) -> None:
    """Correct the metadata of IMAGE, an OME-TIFF whose OME-XML QuPath does not read; pixels are not touched.

    A copy is written beside it, with _repaired behind its name, unless an option says otherwise.
    """
    if in_place and output is not None:
        raise RequestError("--in_place and --output exclude each other: give one of them")
    from cellscale.images.metadata_repair import repair_metadata as repair

    done = repair(image, output, in_place=in_place)
    if done.written is None:
        click.echo(f"{image}: QuPath can read its metadata; nothing was written")
        return
    for text, count in Counter(done.changes).items():
        click.echo(text if count == 1 else f"{text} ({count} times)")
    click.echo(f"written: {done.written}; its pixels are the same bytes as before")
