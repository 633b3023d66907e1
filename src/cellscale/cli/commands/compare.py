"""``cellscale compare``: how far two sets of masks agree."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cellscale.cli.options.shared_options import SectionedCommand, one_of
from cellscale.errors import CellscaleError, RequestError
from cellscale.predict.heads import COMPARTMENTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cellscale.report.comparison import MaskPair, Summary

__all__ = ["compare"]


@click.command(cls=SectionedCommand, short_help="Compare two sets of masks, cell by cell.")
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    default="comparison.html",
    show_default=True,
    help="The page that is written.",
)
@click.option("--overwrite", is_flag=True, help="Replace a file of that name even if it is no such page.")
@click.option("--image_filter", default="", metavar="PREFIX", help="Only images whose names begin with PREFIX.")
@click.option(
    "--compartment",
    **one_of("both", *COMPARTMENTS),
    default="both",
    show_default=True,
    help="What to compare. Masks whose names do not say what they are of are of whole cells, or of this.",
)
@click.option("--workers", type=click.IntRange(min=1), metavar="N", help="Threads.")
@click.pass_context
def compare(
    ctx: click.Context,
    /,
    first: str,
    second: str,
    *,
    out: Path,
    overwrite: bool,
    image_filter: str,
    compartment: str,
    workers: int | None,
) -> None:
    """Compare the masks of A with those of B, and write a page with numbers and pictures of where they differ most.

    A and B are datasets, folders of masks, or two masks (TIFF or OME-Zarr), of any tool. The exit code is 1 where an
    image could not be compared.
    """
    from cellscale.cli.output.printable import printable
    from cellscale.cli.output.tables import show_rows
    from cellscale.pipeline.budget import Budget
    from cellscale.report.comparison import COLUMNS, comparison_page, paired_masks
    from cellscale.storage.atomic import write_text

    _refuse_other(out, overwrite=overwrite)
    compartments = COMPARTMENTS if compartment == "both" else tuple(one for one in COMPARTMENTS if one == compartment)
    pairs, remarks = paired_masks(first, second, compartments, image_filter)
    threads = workers or Budget.choose().workers
    done, failed = [], []

    def rows() -> "Iterator[Sequence[str]]":
        for pair in pairs:
            found = _compared(pair, threads)
            if isinstance(found, str):
                failed.append(found)
            else:
                done.append(found)
                yield found.row

    show_rows(COLUMNS, rows(), text=("image", "compartment"))
    for remark in (*remarks, *failed):
        click.echo(printable(remark), err=True)
    if done:
        write_text(out, comparison_page((first, second), done, [*failed, *remarks]))
        click.echo(f"page: {out}")
    ctx.exit(1 if failed else 0)


def _compared(pair: "MaskPair", workers: int) -> "Summary | str":
    """Compare a pair of masks, or return why that cannot be; the others go on."""
    from cellscale.faults import failure_text
    from cellscale.report.comparison import compare_masks, summarize

    try:
        return summarize(compare_masks(pair, workers=workers))
    except RequestError:
        raise
    except CellscaleError as error:
        return f"failed: {pair.image} ({pair.compartment}): {failure_text(error)}"


def _refuse_other(out: Path, *, overwrite: bool) -> None:
    """Refuse to replace a file that no comparison has written."""
    from cellscale.report.comparison import MARK
    from cellscale.storage.regular import open_regular
    from cellscale.storage.storage_errors import explained
    from cellscale.storage.uri import find

    if overwrite or find(out) is None:
        return
    with explained("read", out), open_regular(out) as file:
        if MARK.encode() not in file.read(1 << 16):
            raise RequestError(
                f"{out} is there and is no page of cellscale compare; name another --out, or --overwrite"
            )
