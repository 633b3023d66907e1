"""Estimates beside measurements: seconds and peak memory of images of several sizes on this machine.

Usage, from the project's root, on a machine that does nothing else:

    python -m benchmarks.estimate [--learn 512 1024 2048 3072] [--check 768 1536 4096] [--folder FOLDER] [--ship]
    python -m benchmarks.estimate --many 60 --side 256

Runs over simulated tissue of the sizes to learn from, and then over those to check; predicts the latter from the
records of the former, and from those that cellscale ships with, and prints each prediction by the measured value.
``--ship`` puts the records of this machine into the package. ``--many`` is one run over so many small images with all
that it writes, by what cellscale ships with, and then by the run's own records.
"""

import argparse
import json
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

import cellscale.records
from cellscale.planning.run_estimate import ENDING, PROGRAM
from cellscale.planning.trials import Trials, run_trials
from cellscale.records.benchmark_table import Row, read_folder
from cellscale.records.fit_rates import learn, size_of
from cellscale.records.rates import Rates
from cellscale.records.shipped_rates import shipped_rows
from cellscale.workspace.layout import BENCHMARKS

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


def show_many(folder: Path, count: int, side: int) -> None:
    """Simulate small images, run over them, and print what was predicted beside what it took."""
    dataset = str(folder / f"many-{count}-{side}")
    simulated = ["simulate", dataset, "--images", str(count), "--size", str(side), "--channels", str(FEW)]
    cellscale_run(simulated, count)
    before, began = getrusage(RUSAGE_CHILDREN), time.monotonic()
    cellscale_run(["segment-and-measure", "--overwrite", "workspace", dataset], count)
    after, seconds = getrusage(RUSAGE_CHILDREN), time.monotonic() - began
    found = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    rows = read_folder(Path(dataset) / "jobs" / BENCHMARKS)[-count:]
    size = size_of(rows[-1])
    for rates in (learn(shipped_rows(), "what cellscale ships with"), learn(rows, "the records of this run")):
        assert rates is not None
        work = PROGRAM + rates.loading + count * (rates.work(size) + ENDING)
        wall = PROGRAM + rates.loading + count * (rates.time(size, rates.cores) + ENDING / rates.cores / rates.share)
        print(f"{count} images of {side} px by {rates.source}: predicted, measured, ratio")
        print(f"  {work:.1f} {found:.1f} core-s {work / found:.2f}   {wall:.1f} {seconds:.1f} s {wall / seconds:.2f}")


def cellscale_run(words: list[str], count: int) -> None:
    """Run cellscale, or say how it failed."""
    done = subprocess.run([sys.executable, "-m", "cellscale", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{words[0]} of {count} images failed: {done.stderr[-2000:]}")


def main() -> None:
    """Read the words and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--learn", type=int, nargs="+", default=[512, 1024, 2048, 3072])
    parser.add_argument("--check", type=int, nargs="+", default=[768, 1536, 4096])
    parser.add_argument("--folder", type=Path, default=Path("benchmark-data") / "estimate")
    parser.add_argument("--ship", action="store_true")
    parser.add_argument("--many", type=int, metavar="IMAGES")
    parser.add_argument("--side", type=int, default=256)
    options = parser.parse_args()
    if options.many:
        show_many(options.folder, options.many, options.side)
        return
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
