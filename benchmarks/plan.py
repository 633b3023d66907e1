"""A plan for 100,000 images of a gigapixel, and the simulation it comes from beside a real run.

Usage, from the project's root:

    python -m benchmarks.plan                  the tables of docs/planning.md
    python -m benchmarks.plan --check          two real worker processes beside their simulation

The check makes images of several sizes, each a dataset of its own, works on them one by one with one process on one
core, then with two processes on a core each, as Batch gives tasks to machines, and compares the second run's time
with what the simulation says after the first. It wants a machine of at least two cores that does nothing else.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue

from benchmarks.campaign import Plan, plan
from benchmarks.simulation import Fleet, Job, simulate
from cellscale.engines.batch.compute import parse_compute
from cellscale.pipeline.segmenting import TileGroups
from cellscale.planning.crews import own_crew, rented_crew
from cellscale.planning.run_estimate import MachinePool, PlannedWork
from cellscale.predict.tiles import TileGrid
from cellscale.records.fit_rates import learn
from cellscale.records.machine import this_machine
from cellscale.records.rates import ImageSize
from cellscale.records.shipped_rates import shipped_rows
from cellscale.simulate.files import write_image
from cellscale.simulate.tissue_model import TissueModel
from tests.predict.tiny_network import write_tiny_network

SIDE, CHANNELS, IMAGES = 32768, 8, 100_000
FILE_BYTES = SIDE * SIDE * CHANNELS * 2 * 1.33 * 0.6
"""16-bit pixels with a pyramid, deflated to six tenths."""
TILES = ((SIDE - 256) // 192 + 2) ** 2
SIDES = (1100, 500, 900, 700, 1300, 600, 800, 1000)
WRITE_PRICE, READ_PRICE = 0.005 / 1000, 0.0004 / 1000
"""US dollars a request to Google Cloud Storage's standard class in one region: A and B operations."""
STORE_BANDWIDTH = 25e9
"""Bytes a second: the 200 Gbit/s that a project may read from buckets in a region unless it asks for more."""
MACHINES, NODES = 1000, 100
"""Rented ones at once, and nodes of a cluster."""


def gigapixel() -> ImageSize:
    return ImageSize(
        pixels=SIDE * SIDE,
        network_pixels=SIDE * SIDE,
        tiles=TILES,
        held_bytes=TileGroups(TileGrid.of((SIDE, SIDE))).held_bytes,
        channels=CHANNELS,
        file_bytes=round(FILE_BYTES),
    )


def table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """Print a table of Markdown."""
    for cells in (heads, ("---",) * len(heads), *rows):
        print("| " + " | ".join(cells) + " |")
    print()


def costs(name: str, found: Plan) -> tuple[str, ...]:
    outcome = found.outcome
    return (
        name,
        f"{found.crew.machines:,}",
        f"{outcome.seconds / 86400:.1f}",
        f"{outcome.machine_seconds / 3600:,.0f}",
        f"{outcome.losses:,}",
        f"{outcome.lost_seconds / outcome.machine_seconds:.1%}",
        "-" if found.dollars is None else f"${found.dollars:,.0f}",
    )


def traffic(name: str, found: Plan) -> tuple[str, ...]:
    outcome = found.outcome
    return (
        name,
        f"{outcome.reads / 1e6:,.0f} M",
        f"{outcome.writes / 1e6:,.0f} M",
        f"{outcome.read_bytes / 1e15:.2f} PB",
        f"{outcome.written_bytes / 1e15:.2f} PB",
        f"${outcome.reads * READ_PRICE + outcome.writes * WRITE_PRICE:,.0f}" if found.crew.compute else "-",
        f"{outcome.events / outcome.seconds:.2f}",
        f"{outcome.busiest:,}",
    )


def show_plan(images: int) -> None:
    """Print the tables of the documentation."""
    rates = learn(shipped_rows(), "the records that cellscale ships with")
    assert rates is not None
    sizes = [gigapixel()] * images
    masks, tables = PlannedWork(measure=False), PlannedWork(segment=False)
    print(f"{images:,} images of {SIDE:,} x {SIDE:,} pixels, {CHANNELS} channels, by {rates}\n")
    plans = {}
    for text in ("n1-standard-8:SPOT+nvidia-tesla-t4:1", "g2-standard-8:SPOT", "n2-standard-32:SPOT"):
        crew = rented_crew(parse_compute(text, "--machine"), MACHINES)
        plans[f"Batch: segment on `{text}`"] = plan(sizes, rates, crew, masks, STORE_BANDWIDTH)
    text = "n1-standard-8:SPOT"
    crew = rented_crew(parse_compute(text, "--machine"), MACHINES, network=False)
    plans[f"Batch: measure on `{text}`"] = plan(sizes, rates, crew, tables, STORE_BANDWIDTH)
    nodes = own_crew("64x256GB", NODES, this_machine(), rates)
    plans["cluster: nodes of 64 cores"] = plan(sizes, rates, nodes, PlannedWork())
    plans["cluster: with an L4 each"] = plan(sizes, rates, _with_card(nodes), PlannedWork())
    table(
        ("part", "machines", "days", "machine-hours", "machines lost", "work lost", "machines cost"),
        [costs(name, found) for name, found in plans.items()],
    )
    table(
        ("part", "reads", "writes", "read", "written", "requests cost", "tasks begun or ended a second", "at most"),
        [traffic(name, found) for name, found in plans.items()],
    )


def _with_card(crew: MachinePool) -> MachinePool:
    card = rented_crew(parse_compute("g2-standard-8:SPOT", "--machine"), 1)
    return replace(crew, tile_seconds=card.tile_seconds, card_measured=False)


def work_on(dataset: Path, model: Path, core: int) -> float:
    """Segment and measure one image on one core; return the seconds of the process."""
    words = [
        "taskset",
        "--cpu-list",
        str(core),
        sys.executable,
        "-m",
        "cellscale",
        "segment-and-measure",
        "--overwrite",
    ]
    words += ["--no_report", "--workers", "1", "--model_path", str(model), "workspace", str(dataset)]
    started = time.perf_counter()
    subprocess.run(words, check=True, capture_output=True)
    return time.perf_counter() - started


def check(folder: Path) -> None:
    """Run on one core, then on two, and print what the simulation makes of the first."""
    shutil.rmtree(folder, ignore_errors=True)
    datasets = []
    for side in SIDES:
        datasets.append(folder / str(side))
        image = datasets[-1] / "OMETIFF" / "tissue.ome.tiff"
        image.parent.mkdir(parents=True)
        write_image(image, TissueModel((side, side), channels=4), workers=2)
    model = write_tiny_network(folder / "tiny.onnx", surround=25)
    first, second = sorted(os.sched_getaffinity(0))[:2]
    work_on(datasets[0], model, first)  # compiles kernels, if that was never done
    alone = [work_on(dataset, model, first) for dataset in datasets]
    cores: SimpleQueue[int] = SimpleQueue()

    def next_on_free_core(dataset: Path) -> float:
        core = cores.get()
        seconds = work_on(dataset, model, core)
        cores.put(core)
        return seconds

    cores.put(first)
    cores.put(second)
    started = time.perf_counter()
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(next_on_free_core, datasets))
    real = time.perf_counter() - started
    said, fitted = (simulate(list(map(_job, seconds)), Fleet(machines=2)).seconds for seconds in (alone, together))
    print("one core, seconds of each image:", *(f"{seconds:.1f}" for seconds in alone))
    print(f"two processes: {real:.1f} s; one: {sum(alone):.1f} s")
    print(f"simulated from the times of one: {said:.1f} s, ratio {said / real:.2f}")
    print(f"simulated from the times that the two took, other programs included: {fitted:.1f} s, {fitted / real:.2f}")


def _job(seconds: float) -> Job:
    return Job(seconds=seconds)


def main() -> None:
    """Read the words and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--images", type=int, default=IMAGES)
    parser.add_argument("--folder", type=Path, default=Path("benchmark-data") / "plan")
    options = parser.parse_args()
    if options.check:
        check(options.folder)
    else:
        show_plan(options.images)


if __name__ == "__main__":
    main()
