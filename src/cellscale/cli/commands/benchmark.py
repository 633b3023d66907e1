"""``cellscale benchmark``: what runs cost, recorded, sent to BigQuery, shown and drawn."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cellscale.cli.options.shared_options import WordGroup, model_option, name_list
from cellscale.errors import RequestError
from cellscale.storage.uri import Location

if TYPE_CHECKING:
    from cellscale.records.benchmark_table import Row
    from cellscale.records.cost_summary import MachineSummary

__all__ = ["benchmark"]

_COLUMNS = (
    "machine", "device", "batch", "images", "failed", "Mpx", "s/Mpx", "preprocess", "predict", "postprocess",
    "measure", "peak memory",
)  # fmt: skip
_records = click.argument("records", nargs=-1, required=True, metavar="DATASET...")


@click.group(cls=WordGroup)
def benchmark() -> None:
    """Show, draw and keep what runs cost.

    Every run leaves a record of each image in DATASET/jobs/benchmarks, as Parquet. DATASET is a folder or URI.
    """


@benchmark.command("schema")
def schema() -> None:
    """Print the columns of a record as the JSON schema of a BigQuery table."""
    from cellscale.records.benchmark_table import bigquery_schema

    click.echo(json.dumps(bigquery_schema(), indent=2))


@benchmark.command("create-table")
@click.argument("table", metavar="PROJECT.DATASET.TABLE")
def create_table(table: str) -> None:
    """Create a BigQuery table for records, or add the columns that an existing one lacks."""
    from cellscale.records.upload import create_table as create

    added = create(table)
    click.echo(f"{table}: created" if added is None else f"{table}: was there; {added} columns added")


@benchmark.command("send")
@click.argument("table", metavar="PROJECT.DATASET.TABLE")
@_records
def send(table: str, records: tuple[str, ...]) -> None:
    """Append the records of datasets to a BigQuery table; those that it has already stay as they are."""
    from cellscale.records.benchmark_table import record_files
    from cellscale.records.upload import append_files

    files = [file for dataset in records for file in record_files(_folder(dataset))]
    append_files(table, files)
    click.echo(f"{table}: has {sum(len(file.rows) for file in files)} records of {len(files)} runs")


@benchmark.command("show")
@_records
def show(records: tuple[str, ...]) -> None:
    """Show what a megapixel takes, by machine and device, over all records of datasets."""
    from cellscale.cli.output.tables import show_rows
    from cellscale.records.cost_summary import summarize

    show_rows(_COLUMNS, map(_cells, summarize(_read(records))), text=("machine", "device"))


@benchmark.command("plot")
@_records
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=".", help="Folder for the files.")
def plot(records: tuple[str, ...], out: Path) -> None:
    """Draw pixels against inference time, postprocessing time and memory: benchmarks.png and benchmarks.html."""
    from cellscale.records.cost_plots import draw, html_page
    from cellscale.storage.atomic import write_bytes
    from cellscale.storage.uri import make_folder

    rows = _read(records)
    make_folder(out)
    for name, content in (("benchmarks.png", draw(rows, "png")), ("benchmarks.html", html_page(rows))):
        write_bytes(out / name, content)
        click.echo(out / name)


@benchmark.command("run")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--sizes", type=name_list, default="512,1024,2048", show_default=True, help="Sides of the images.")
@click.option("--batch_sizes", type=name_list, default="auto", show_default=True, help="Tiles at once.")
@click.option("--devices", type=name_list, default="auto", show_default=True, help="As --device takes them.")
@click.option("--repeats", type=click.IntRange(1), default=1, show_default=True)
@click.option("--channels", type=click.IntRange(2), default=4, show_default=True, help="Channels of the images.")
@model_option
@click.option("--model_path", metavar="PATH_OR_URI", help="An .onnx file. Default: the installed weights.")
@click.option("--table", metavar="PROJECT.DATASET.TABLE", help="BigQuery table to which the records are appended.")
def run(
    folder: Path,
    *,
    sizes: tuple[str, ...],
    batch_sizes: tuple[str, ...],
    devices: tuple[str, ...],
    repeats: int,
    channels: int,
    model: str | None,
    model_path: str | None,
    table: str | None,
) -> None:
    """Measure this machine: segment and measure simulated tissue in FOLDER, and record what that cost.

    cellscale estimate goes by these records from then on.
    """
    from cellscale.planning.trials import Trials, run_trials
    from cellscale.records.shipped_rates import keep
    from cellscale.records.upload import append_files

    trials = Trials(
        sizes=[_number(size, "--sizes") for size in sizes],
        batch_sizes=[None if size == "auto" else _number(size, "--batch_sizes") for size in batch_sizes],
        devices=devices,
        repeats=repeats,
        channels=channels,
        options=tuple(
            word
            for given in (("--model", model), ("--model_path", model_path))
            if given[1]
            for word in map(str, given)
        ),
    )
    files = run_trials(folder, trials, lambda words: click.echo(words, err=True))
    keep(files)
    if table:
        append_files(table, files)
    click.echo("\t".join(("pixels", "s", "s/Mpx", "peak memory")))
    for row in (row for file in files for row in file.rows):
        seconds, pixels = row["total_time_s"], row["pixels_m"]
        memory = f"{row['peak_memory_gb']:.2f} GB"
        click.echo(f"{pixels:,}\t{seconds:.1f}\t{seconds / pixels * 1e6:.2f}\t{memory}")


def _folder(dataset: str) -> Location:
    """Return the folder of a dataset's records, which may be given itself."""
    from cellscale.storage.uri import base_name, join
    from cellscale.workspace.layout import BENCHMARKS, workspace_paths

    return dataset if base_name(dataset) == BENCHMARKS else join(workspace_paths(dataset).jobs, BENCHMARKS)


def _read(datasets: tuple[str, ...]) -> "list[Row]":
    from cellscale.records.benchmark_table import read_folder

    rows = [row for dataset in datasets for row in read_folder(_folder(dataset))]
    if not rows:
        raise RequestError(f"there are no benchmark records in {', '.join(datasets)}; a run makes them")
    return rows


def _cells(summary: "MachineSummary") -> list[str]:
    from cellscale.records.benchmark_table import STAGES

    stages = [summary.stages.get(stage) for stage in STAGES]
    return [
        summary.machine,
        summary.device,
        str(summary.batch_size or "-"),
        str(summary.images),
        str(summary.failed),
        f"{summary.pixels / 1e6:,.1f}",
        *("-" if rate is None else f"{rate:.2f}" for rate in (summary.seconds_per_megapixel, *stages)),
        "-" if summary.peak_memory is None else f"{summary.peak_memory / 1e9:.2f} GB",
    ]


def _number(text: str, option: str) -> int:
    if not text.isdecimal() or not int(text):
        raise RequestError(f"{option}: {text!r} is not a whole number from 1 on")
    return int(text)
