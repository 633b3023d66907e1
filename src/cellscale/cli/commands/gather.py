"""``cellscale gather``: the tables of all images as one."""

from typing import Any

import click

from cellscale.cli.options.shared_options import SectionedCommand, one_of
from cellscale.workspace.layout import SUBFOLDERS, Subfolders

__all__ = ["gather"]


@click.command(cls=SectionedCommand, short_help="Make one table of the cells of all images.")
@click.argument("dataset", metavar="DATASET")
@click.option(
    "--format",
    "formats",
    **one_of("parquet", "anndata", "both", "spatialdata"),
    default="both",
    show_default=True,
    help="all_cells.parquet, all_cells.h5ad, or both; or all_cells.sdata.zarr with images and masks.",
)
@click.option("--images_subdir", "images", default=SUBFOLDERS.images, show_default=True, help="Images.")
@click.option("--segmasks_subdir", "segmasks", default=SUBFOLDERS.segmasks, show_default=True, help="Masks.")
@click.option("--reports_subdir", "reports", default=SUBFOLDERS.reports, show_default=True, help="Tables, reports.")
@click.pass_context
def gather(ctx: click.Context, /, dataset: str, *, formats: str, **subfolders: Any) -> None:
    """Write the cells of all measured images of DATASET, a workspace's folder or URI, to one table of each format.

    The files go into the folder of tables, and replace earlier ones. The exit code is 1 where an image's table is
    missing or damaged: its cells are left out.
    """
    from cellscale.cli.output.printable import printable
    from cellscale.cli.output.progress import SteadyConsole, listening
    from cellscale.engines.gather_dataset import FORMATS
    from cellscale.engines.gather_dataset import gather as gathered
    from cellscale.workspace.layout import workspace_paths

    paths = workspace_paths(dataset, Subfolders(**subfolders))
    chosen = [one for one in FORMATS if formats == one or (formats == "both" and one != "spatialdata")]
    with listening(SteadyConsole(stderr=True), verbose=0, log_file=None) as listener:
        done = gathered(paths, chosen, listener)
    click.echo(f"{done.cells:,} cells of {done.images:,} {'image' if done.images == 1 else 'images'}")
    for place in done.files:
        click.echo(printable(place))
    ctx.exit(1 if done.failed else 0)
