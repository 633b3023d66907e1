"""``cellscale classify``: classes of cells from anyone's table, put into project, viewer and AnnData."""

import re
from typing import Any

import click

from cellscale.cli.options.shared_options import SectionedCommand
from cellscale.workspace.layout import SUBFOLDERS, Subfolders

__all__ = ["classify"]

_COLOUR = re.compile(r"(?P<name>.+)=#(?P<colour>[0-9a-fA-F]{6})")


def _colour(text: str) -> tuple[str, tuple[int, int, int]]:
    """Read a class with its colour."""
    match = _COLOUR.fullmatch(text)
    if match is None:
        raise click.BadParameter(f"{text!r} is not a class with a colour; write for example Tumor=#c80000")
    red, green, blue = bytes.fromhex(match["colour"])
    return match["name"].strip(), (red, green, blue)


@click.command(cls=SectionedCommand, short_help="Put classes from a table into project, viewer and AnnData.")
@click.argument("dataset", metavar="DATASET")
@click.argument("table", metavar="TABLE")
@click.option("--column", metavar="NAME", help="Column with the classes. Default: the only one beside the ids.")
@click.option("--id_column", default="Object ID", show_default=True, metavar="NAME", help="Column with the ids.")
@click.option(
    "--color",
    "colours",
    type=_colour,
    multiple=True,
    metavar="CLASS=#RRGGBB",
    help="Colour of a class; repeatable. Default: colours that are far apart.",
)
@click.option("--replace", "replaces", is_flag=True, help="Replace also classes that were given in QuPath.")
@click.option("--project_subdir", "project", default=SUBFOLDERS.project, show_default=True, help="QuPath project.")
@click.option("--reports_subdir", "reports", default=SUBFOLDERS.reports, show_default=True, help="Tables.")
@click.pass_context
def classify(
    ctx: click.Context,
    /,
    dataset: str,
    table: str,
    *,
    column: str | None,
    id_column: str,
    colours: tuple[tuple[str, tuple[int, int, int]], ...],
    replaces: bool,
    **subfolders: Any,
) -> None:
    """Give the cells of DATASET the classes of TABLE: clusters, phenotypes, gates.

    TABLE is Parquet, TSV or CSV with the Object ID of the tables in REPORTS. Close the images in QuPath before. What
    was done in QuPath stays. The exit code is 1 where an image failed.
    """
    from cellscale.cli.output.printable import printable
    from cellscale.pipeline.classifying import classify_dataset, colours_of, read_class_table
    from cellscale.workspace.layout import workspace_paths

    found = read_class_table(table, column, id_column)
    shown = colours_of(found.classes.values(), dict(colours))
    done = classify_dataset(workspace_paths(dataset, Subfolders(**subfolders)), found, shown, replaces=replaces)
    for image in done:
        if image.error is not None:
            click.echo(printable(f"failed: {image.image}: {image.error}"), err=True)
            continue
        cells = (image.image, f"{image.classified} cells", ", ".join(image.places))
        click.echo("\t".join(map(printable, cells)))
        for note in image.notes:
            click.echo(printable(f"{image.image}: {note}"), err=True)
    ctx.exit(1 if any(image.error is not None for image in done) else 0)
