"""``cellscale estimate``: what a run will take."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import click

from cellscale.cli.options.shared_options import SectionedCommand, byte_size, model_option, one_of, positive_number
from cellscale.errors import RequestError
from cellscale.storage.uri import Location
from cellscale.weights.catalogue import MESMER, named_network

if TYPE_CHECKING:
    from cellscale.images.info import ChannelAxis
    from cellscale.pipeline.model import Interface
    from cellscale.planning.image_sizes import ImageSizes
    from cellscale.planning.run_estimate import Estimate
    from cellscale.records.benchmark_table import Row
    from cellscale.records.rates import Prediction, Rates

__all__ = ["estimate"]

_PARALLELISM = 100


@click.command(cls=SectionedCommand, short_help="Predict what a run will take and cost.")
@click.argument("dataset")
@click.option("--image_filter", metavar="PREFIX", default="", help="Only images whose names begin with PREFIX.")
@click.option("--recursive", is_flag=True, help="Images in sub-folders as well.")
@click.option("--image_mpp", metavar="MICROMETRES", type=positive_number, help="Size of a pixel.")
@click.option(
    "--channel_axis",
    **one_of("C", "Z", "T"),
    help="What the channels were saved as.",
)
@click.option(
    "--engine",
    type=click.Choice(["local", "dask", "batch"]),
    default="local",
    show_default=True,
    help="What runs it.",
)
@click.option(
    "--machine",
    metavar="MACHINE",
    help="CORESxMEMORY, as in 64x256GB, or Google's machine:SPOT+accelerator:count. Default: this machine; for "
    "batch several are compared.",
)
@model_option
@click.option("--measuring_machine", metavar="MACHINE", help="What measures on Batch. Default: n1-standard-8:SPOT.")
@click.option("--machines", type=click.IntRange(1), metavar="N", help="Machines at once. Default: 1; for batch 100.")
@click.option("--workers", type=click.IntRange(1), metavar="N", help="Blocks worked on side by side on each.")
@click.option(
    "--batch_size", type=click.IntRange(1), metavar="TILES", help="Tiles that the network processes at once."
)
@click.option("--max_memory", type=byte_size, metavar="SIZE", help="Memory to stay under, as in 3GB.")
@click.option(
    "--records",
    multiple=True,
    metavar="DATASET",
    help="Predict from the benchmark records of this dataset; repeatable.",
)
def estimate(
    dataset: str,
    *,
    image_filter: str,
    recursive: bool,
    image_mpp: float | None,
    channel_axis: "ChannelAxis | None",
    engine: str,
    machine: str | None,
    model: str | None,
    measuring_machine: str | None,
    machines: int | None,
    workers: int | None,
    batch_size: int | None,
    max_memory: int | None,
    records: tuple[str, ...],
) -> None:
    """Predict the time, memory, disk and cost of DATASET, from the headers of its images alone."""
    from cellscale.cli.output.printable import printable
    from cellscale.pipeline.segmenting import grid_of
    from cellscale.planning.crews import own_crew
    from cellscale.planning.image_sizes import survey
    from cellscale.planning.run_estimate import PlannedWork
    from cellscale.planning.run_estimate import estimate as predict
    from cellscale.records.benchmark_table import read_folder
    from cellscale.records.machine import this_machine
    from cellscale.records.shipped_rates import SHIPPED, known_rates
    from cellscale.storage.reachable import require_reachable
    from cellscale.storage.uri import join
    from cellscale.workspace.discovery import discover
    from cellscale.workspace.layout import BENCHMARKS, workspace_paths
    from cellscale.workspace.plain_places import dataset_paths
    from cellscale.workspace.subfolders import left_out

    own = {"--workers": workers, "--batch_size": batch_size, "--max_memory": max_memory}
    if engine == "batch":
        _refuse(own, engine, "whose machines are reckoned with all that they have")
    else:
        _refuse(
            {"--measuring_machine": measuring_machine}, engine, "where the machine that segments measures as well"
        )
    paths = dataset_paths(dataset)
    require_reachable((dataset, *records))
    name, path = named_network(model, None)
    interface = _interface(name, path)
    entries = discover(paths, image_filter, channel_axis=channel_axis, recursive=recursive)
    found = survey(entries, image_mpp, interface)
    for text in left_out(paths, recursive=recursive):
        click.echo(f"warning: {printable(text)}", err=True)
    if not found.sizes:
        raise RequestError(f"no image of {dataset} can be worked on; cellscale segment --dry_run says why")
    others = [join(workspace_paths(other).jobs, BENCHMARKS) for other in records]
    for other, folder in zip(records, others, strict=True):
        if not read_folder(folder):
            click.echo(f"warning: --records {other}: no records of runs in {folder}; they are not used", err=True)
    here = this_machine() if machine is None and engine != "batch" else None
    network = name or (MESMER.name if path is None else PurePosixPath(path.replace("\\", "/")).stem)
    rates = known_rates(paths.jobs, here, others, network, grid_of(interface))
    if network != MESMER.name and rates.source == SHIPPED:
        click.echo(
            f"warning: there are no records of {printable(network)} on such a machine; it is reckoned as Mesmer. "
            "'cellscale benchmark run FOLDER --model' measures it",
            err=True,
        )
    _show_images(found, rates, interface)
    in_batches = interface.kind != "seeds"  # the others compute a square at a time, on processors
    if engine == "batch":
        rows = _rows(paths.jobs, others)
        on_cards = network if in_batches else None
        _show_rented(found, rates, machine, measuring_machine, machines or _PARALLELISM, rows, on_cards)
        return
    crew = own_crew(machine, machines or 1, this_machine(), rates, max_memory)
    work = PlannedWork(workers=workers, batch_size=batch_size)
    _show(predict(found.sizes, rates, crew, work), in_batches=in_batches)


def _interface(name: str | None, path: str | None) -> "Interface":
    """Return how the network sees images; that of Mesmer, with a warning, where its file cannot be looked into."""
    from cellscale.cli.output.printable import printable
    from cellscale.engines.preflight import interface_of
    from cellscale.errors import CellscaleError
    from cellscale.pipeline.model import LIKE_MESMER
    from cellscale.pipeline.request import NetworkChoice

    try:
        return interface_of(NetworkChoice(name=name, path=path))
    except CellscaleError as error:
        click.echo(f"warning: {printable(str(error))}. Its pixel size and tiles are taken to be Mesmer's", err=True)
        return LIKE_MESMER


def _refuse(options: Mapping[str, object], engine: str, why: str) -> None:
    """Raise `RequestError` if one of some options is given, which would change nothing."""
    for option, value in options.items():
        if value is not None:
            raise RequestError(f"{option} has no meaning with --engine {engine}, {why}; leave it out")


def _rows(jobs: Location, others: Sequence[Location]) -> "list[Row]":
    """Return all records that tell of cards."""
    from cellscale.records.benchmark_table import read_folder
    from cellscale.records.shipped_rates import user_records
    from cellscale.storage.uri import join
    from cellscale.workspace.layout import BENCHMARKS

    return [row for folder in (join(jobs, BENCHMARKS), *others, user_records()) for row in read_folder(folder)]


def _show_images(found: "ImageSizes", rates: "Rates", network: "Interface") -> None:
    from cellscale.cli.output.printable import printable

    pixels, tiles = (sum(getattr(size, name) for size in found.sizes) for name in ("network_pixels", "tiles"))
    guessed = f", {found.guessed:,} of them guessed from the size of their files" if found.guessed else ""
    given = network.input_format
    click.echo(
        f"images\t{len(found.sizes):,}; {pixels / 1e6:,.1f} Mpx at the network's pixel size "
        f"({given.mpp:g} µm/px){guessed}"
    )
    click.echo(f"tiles\t{tiles:,} of {given.tile} x {given.tile} pixels at most")
    for name in found.unreadable:
        click.echo(
            f"{printable(name)}: is left out: a run refuses it (segment --dry_run says why)",
            err=True,
        )
    click.echo(f"rates\t{rates.source}: {rates.images} images on {rates.machine}, {rates.cores} cores")


def _show(found: "Estimate", *, in_batches: bool) -> None:
    crew = found.crew
    click.echo(f"machines\t{crew.machines}, {crew.cores} cores each; {crew.memory / 1e9:.1f} GB for the run")
    amount = f"batches of {found.batch_size} tiles" if in_batches else "a tile at a time"
    click.echo(f"chosen\t{found.workers} workers, {amount}")
    click.echo(f"time\t{_ranged(found.time, _duration)}")
    click.echo(f"memory\t{_ranged(found.memory, _gigabytes)}")
    click.echo(f"disk\t{_gigabytes(found.scratch)} while the largest image is worked on")
    click.echo(f"outputs\t{_gigabytes(found.outputs)}")
    click.echo("cost\tnone: nothing is rented")


def _show_rented(
    found: "ImageSizes",
    rates: "Rates",
    machine: str | None,
    measuring: str | None,
    machines: int,
    rows: "Sequence[Row]",
    network: str | None,
) -> None:
    """Show what segmenting takes on each kind of machine, with measuring after it, the cheapest first."""
    from cellscale.cli.output.tables import show_rows
    from cellscale.engines.batch.compute import parse_compute
    from cellscale.engines.batch.prices import PRICES_OF
    from cellscale.planning.crews import CANDIDATES, OPTION
    from cellscale.planning.rented import compare

    candidates = CANDIDATES if machine is None else (parse_compute(machine, OPTION),)
    options = compare(found.sizes, rates, candidates, measuring, machines, rows, network)
    shown = []
    for option in options:
        cost = "unknown" if option.dollars is None else _ranged(option.dollars, lambda dollars: f"${dollars:,.2f}")
        cells = (
            cost,
            _ranged(option.time, _duration),
            f"{option.machine_hours:,.1f}",
            _gigabytes(option.memory.value),
        )
        shown.append((str(option.compute), *cells, _gigabytes(option.disk)))
    columns = ("segmenting machine", "cost", "elapsed", "machine-hours", "memory", "disk")
    show_rows(columns, shown, text=columns[:1])
    best = options[0]
    click.echo(f"chosen\t{best.compute}, {best.machines} at once, for measuring {best.measuring}")
    click.echo(f"prices\tlist prices of {PRICES_OF} in us-central1; storage and its requests are not included")


def _ranged(value: "Prediction", words: Callable[[float], str]) -> str:
    low, high = value.interval
    return f"{words(value.value)} ({words(low)} to {words(high)})"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 5400 else f"{seconds / 3600:,.1f} h"


def _gigabytes(size: float) -> str:
    return f"{size / 1e9:,.2f} GB"
