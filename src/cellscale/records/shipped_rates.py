"""The rates that estimates go by: the user's own where there are enough, else those that cellscale ships with."""

import json
from collections.abc import Iterable
from datetime import datetime
from importlib.resources import files
from pathlib import Path

from platformdirs import user_data_path

from cellscale.predict.tiles import STRIDE, TileGrid
from cellscale.records.benchmark_table.archive import RecordFile, add_records, read_folder
from cellscale.records.benchmark_table.row import Row, validated
from cellscale.records.fit_rates import GridOf, learn
from cellscale.records.machine import Machine
from cellscale.records.rates import Rates
from cellscale.storage.uri import Location, join
from cellscale.weights.catalogue import MESMER
from cellscale.workspace.layout import BENCHMARKS

__all__ = ["SHIPPED", "card_seconds", "keep", "known_rates", "shipped_rows", "user_records"]

SHIPPED = "those that cellscale ships with"
"""Source of the rates that cellscale ships with, which are of Mesmer."""

_ENOUGH = 3
"""Images of one's own from which rates are learnt; fewer say little about the constant and the error."""
_PEAK_SHARE = 0.5
"""Share of a card's arithmetic peak that is expected of it without records."""
_TILE_FLOP = 23.4e9
"""Operations that Mesmer takes for a tile."""
_PEAK_FLOPS = {
    "nvidia-tesla-t4": 8.1e12, "nvidia-tesla-p4": 5.5e12, "nvidia-tesla-p100": 9.3e12, "nvidia-tesla-v100": 15.7e12,
    "nvidia-l4": 30.3e12, "nvidia-tesla-a100": 19.5e12, "nvidia-h100-80gb": 67e12,
}  # fmt: skip
"""Float32 operations a second, by the makers' data sheets."""


def user_records() -> Path:
    """Return the folder of the user's own records of this machine, which ``cellscale benchmark run`` fills."""
    return user_data_path("cellscale", appauthor=False) / BENCHMARKS


def keep(records: Iterable[RecordFile]) -> None:
    """Add records of this machine to the user's own."""
    for file in records:
        add_records(user_records(), file.rows[0]["run_id"], file.rows)


def shipped_rows() -> list[Row]:
    """Return the records that cellscale ships with."""
    text = files("cellscale.records").joinpath("shipped.jsonl").read_text(encoding="utf-8")
    return [validated(_row(json.loads(line))) for line in text.splitlines()]


def known_rates(
    jobs: Location | None,
    machine: Machine | None,
    others: Iterable[Location] = (),
    network: str = MESMER.name,
    grid: GridOf = TileGrid.of,
    newest: int | None = None,
) -> Rates:
    """Return the rates to predict by.

    Parameters
    ----------
    jobs
        Folder of a dataset's runs, whose records come first; None for none.
    machine
        The machine that will work: records of the same processor come before those of others. None where it is one
        that nothing is known of.
    others
        Further folders of records, which come next; the user's own come last.
    network
        Name of the network whose records count.
    grid
        Returns the tiles that it has of an image, of so many rows and columns at its pixel size. Of a network
        without records a pixel is taken to cost what one of Mesmer's does.
    newest
        Of how many runs the records count, the last ones; None for all.
    """
    folders = [*([] if jobs is None else [join(jobs, BENCHMARKS)]), *others, user_records()]
    for folder in folders:
        rows = [row for row in read_folder(folder, newest) if row["network"] == network]
        rows = [row for row in rows if machine is None or _same(row, machine)]
        rates = learn(rows, f"your own in {folder}", grid)
        if rates is not None and rates.images >= _ENOUGH:
            return rates
    shipped = learn(shipped_rows(), SHIPPED, grid)
    assert shipped is not None, "cellscale ships with records"
    return shipped


def card_seconds(accelerator: str, rows: Iterable[Row] = (), network: str = MESMER.name) -> tuple[float, bool] | None:
    """Return seconds that a card takes for a tile, and whether that was measured; None for an unknown card.

    A tile stands for as many pixels as one of Mesmer's has. A network without records is taken to cost what Mesmer
    does.

    Parameters
    ----------
    accelerator
        Google Cloud's name of the card.
    rows
        Records, of which those with such a card count.
    network
        Name of the network whose records count.
    """
    seconds = pixels = 0.0
    for row in _of_network(list(rows), network):
        if row["success"] and row["device"] in ("cuda", "tensorrt") and _card(row) == accelerator:
            seconds += (row["prediction_time_s"] or 0.0) * (row["prediction_num_gpus"] or 1)
            pixels += row["network_pixels"] or 0
    if pixels:
        return seconds / (pixels / STRIDE**2), True
    peak = _PEAK_FLOPS.get(accelerator)
    return None if peak is None else (_TILE_FLOP / peak / _PEAK_SHARE, False)


def _of_network(rows: list[Row], network: str) -> list[Row]:
    """Return the records of a network; Mesmer's where there are none."""
    return [row for row in rows if row["network"] == network] or [
        row for row in rows if row["network"] == MESMER.name
    ]


def _same(row: Row, machine: Machine) -> bool:
    return bool((row["cpu"], row["cores"]) == (machine.cpu, machine.cores))


def _card(row: Row) -> str:
    """Return Google Cloud's name of a record's cards: ``Tesla T4`` is ``nvidia-tesla-t4``."""
    name = (row["prediction_gpu_type"] or "").lower().removeprefix("nvidia ").replace(" ", "-")
    return f"nvidia-{name}"


def _row(values: Row) -> Row:
    finished = values.get("benchmark_datetime_utc")
    return values | {"benchmark_datetime_utc": datetime.fromisoformat(finished) if finished else None}
