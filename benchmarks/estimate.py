"""Estimates beside measurements: seconds and peak memory of images of several sizes on this machine.

Usage, from the project's root, on a machine that does nothing else:

    python -m benchmarks.estimate [--learn 512 1024 2048 3072] [--check 768 1536 4096] [--folder FOLDER] [--ship]

Runs over simulated tissue of the sizes to learn from, and then over those to check; predicts the latter from the
records of the former, and from those that cellscale ships with, and prints each prediction by the measured value.
``--ship`` puts the records of this machine into the package.
"""

import argparse
import json
from datetime import datetime
from pathlib import Path

import cellscale.records
from cellscale.planning.trials import Trials, run_trials
from cellscale.records.benchmark_table import Row
from cellscale.records.fit_rates import learn, size_of
from cellscale.records.rates import Rates
from cellscale.records.shipped_rates import shipped_rows

SHIPPED = Path(cellscale.records.__file__).with_name("shipped.jsonl")
FEW, MANY = 4, 12
"""Channels of the images."""


def measured(folder: Path, sizes: list[int], channels: int) -> list[Row]:
    """Return the records of new runs."""
    files = run_trials(folder, Trials(sizes=sizes, channels=channels), print)
    return [row for file in files for row in file.rows]


def show(name: str, rates: Rates, rows: list[Row]) -> None:
    """Print predictions by measured values."""
    print(f"\nby {name} ({rates.images} images): predicted, measured, ratio")
    for row in rows:
        size = size_of(row)
        seconds = rates.time(size, rates.cores) + rates.loading
        memory = rates.peak_memory(size) / 1e9
        work = rates.work(size) + rates.loading
        pairs = (
            (seconds, row["total_time_s"], "s"),
            (work, row["total_processor_time_s"], "core-s"),
            (memory, row["peak_memory_gb"], "GB"),
        )
        words = (f"{guess:8.2f} {found:8.2f} {unit} {guess / found:6.2f}" for guess, found, unit in pairs)
        print(f"  {row['height_px']:6} px, {row['channels']:2} channels", *words, sep="   ")


def ship(rows: list[Row]) -> None:
    """Write records into the package, a line each; what is empty is left out."""
    lines = [
        {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in row.items()
            if value is not None
        }
        for row in rows
    ]
    text = "".join(json.dumps(line, sort_keys=True) + "\n" for line in lines)
    SHIPPED.write_text(text, encoding="utf-8")


def main() -> None:
    """Read the words and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--learn", type=int, nargs="+", default=[512, 1024, 2048, 3072])
    parser.add_argument("--check", type=int, nargs="+", default=[768, 1536, 4096])
    parser.add_argument("--folder", type=Path, default=Path("benchmark-data") / "estimate")
    parser.add_argument("--ship", action="store_true")
    options = parser.parse_args()
    known = measured(options.folder, options.learn, FEW) + measured(options.folder, options.learn[:-1], MANY)
    new = measured(options.folder, options.check, FEW)
    rates, shipped = learn(known, "these runs"), learn(shipped_rows(), "cellscale")
    assert rates is not None
    show("the records of this machine", rates, new)
    if shipped is not None:
        show("what cellscale ships with", shipped, new)
    if options.ship:
        ship(known + new)


if __name__ == "__main__":
    main()
