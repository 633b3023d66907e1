"""The closing words of a run."""

from collections.abc import Collection, Iterable

import click
from rich.console import Console

from cellscale.cli.output.fates import fate_lines
from cellscale.cli.output.printable import printable
from cellscale.cli.output.tables import drawn
from cellscale.cli.output.telling import telling
from cellscale.errors import StorageError
from cellscale.pipeline.outcome import ImageOutcome, RunOutcome
from cellscale.pipeline.request import Request
from cellscale.storage.uri import Location, base_name, exists, join
from cellscale.workspace.layout import INDEX, SINGLE

__all__ = ["show_summary"]

_BREAK = "\n"
_COLUMNS = ("image", "status", "cells", "nuclei", "unmatched nuclei", "time", "peak memory")


def show_summary(outcome: RunOutcome, request: Request, console: Console, told: Collection[str] = ()) -> None:
    """Show what became of each image, and where the files are.

    Parameters
    ----------
    outcome
        What became of the run.
    request
        What was asked.
    console
        Where a person reads; a table is drawn at a terminal, lines parted by tabs are written elsewhere.
    told
        Images of which it was told before why they failed.
    """
    with telling("the table of images"):
        _show_images(outcome, console)
        places = _places(request, outcome)
        fates = () if request.dry_run else fate_lines(outcome)
        for line in (*outcome.notes, *_plans(outcome), *places, *fates):
            click.echo(printable(line, keep=_BREAK))
    with telling("the list of failed images"):
        if outcome.error is not None:
            click.echo(printable(f"Error: {outcome.error}", keep=_BREAK), err=True)
        for image in outcome.failed:
            if image.image in told:
                continue
            click.echo(f"failed: {printable(image.image)}: {printable(str(image.error), keep=_BREAK)}", err=True)


def _show_images(outcome: RunOutcome, console: Console) -> None:
    """Show what became of each image; nothing where that is not known yet."""
    rows = [_row(image) for image in outcome.images]
    if rows and console.is_terminal:
        style = {"failed": "red"}
        table = drawn(
            _COLUMNS, rows, text=("image", "status"), width=console.width, style=lambda row: style.get(row[1])
        )
        console.print(table)
    elif rows:
        for row in (_COLUMNS, *rows):
            click.echo("\t".join(row))


def _row(image: ImageOutcome) -> tuple[str, ...]:
    return (
        printable(image.image),
        image.status,
        _count(image.cells),
        _count(image.nuclei),
        _count(image.unmatched_nuclei),
        f"{image.seconds:.1f} s" if image.seconds else "-",
        f"{image.peak_memory / 1e9:.2f} GB" if image.peak_memory else "-",
    )


def _count(number: int | None) -> str:
    return "-" if number is None else f"{number:,}"


def _plans(outcome: RunOutcome) -> Iterable[str]:
    """Say what a dry run would do."""
    return (f"{image.image}: {note}" for image in outcome.images if image.status == "planned" for note in image.notes)


def _places(request: Request, outcome: RunOutcome) -> Iterable[str]:
    """Say where the files are, as far as there are any, or would be after a dry run."""
    from cellscale.qupath.entry import PROJECT_FILE  # needs what a run has loaded by then, and `--help` has not

    paths = request.paths
    planned = request.dry_run and not (outcome.images and len(outcome.failed) == len(outcome.images))
    places: dict[str, Location | None] = {"masks": paths.segmasks}
    if request.measure:
        places |= {"tables": paths.reports, "QuPath project": paths.project}
    for kind, place in places.items():
        file = join(place, PROJECT_FILE) if place is not None and kind == "QuPath project" else place
        if file is not None and _may_be_there(file):
            yield f"{kind}: {place}"
        elif place is not None and planned:
            yield f"{kind} would be in: {place}"
    kinds = {INDEX: "report", SINGLE: "report in one file"}
    yield from (f"{kinds[name]}: {place}" for place in outcome.outputs if (name := base_name(place)) in kinds)


def _may_be_there(place: Location) -> bool:
    """Tell whether there is something, or it cannot be known."""
    try:
        return exists(place)
    except StorageError:
        return True
