"""Time that one and two Dask workers of one thread take for the same images, and what two save.

Usage, from the project's root: ``python -m benchmarks.dask_engine [--images 12] [--size 1024] [--mesmer]``.
Without ``--mesmer`` a network of a few operations takes Mesmer's place. Workers are warm before they are timed, and
one and two take turns, so that whatever else the machine does hits both. Prints the seconds of each run, with the
processor time of its workers, and the smallest of two workers' as a share of the smallest of one's, which is 0.5 at
best. Where a worker's processor time is much less than the run's seconds, the machine was busy with something else.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from distributed import Client, LocalCluster
from tests.predict.tiny_network import write_tiny_network

from cellscale.engines.dask.engine import run
from cellscale.pipeline.events import ignore
from cellscale.pipeline.request import Request
from cellscale.workspace.layout import workspace_paths


def simulated(dataset: Path, images: int, size: int) -> Path:
    """Make a dataset of simulated tissue."""
    words = ["simulate", str(dataset), "--images", str(images), "--size", str(size), "--channels", "4"]
    subprocess.run([sys.executable, "-m", "cellscale", *words], check=True, stdout=subprocess.DEVNULL)
    return dataset


def seconds(images: Path, request: Request, address: str) -> float:
    """Work on a copy of the images, which has no outputs yet."""
    with tempfile.TemporaryDirectory(dir=images.parent) as folder:
        shutil.copytree(images, Path(folder) / "OMETIFF")
        start = time.perf_counter()
        outcome = run(replace(request, paths=workspace_paths(folder), dask_scheduler=address), ignore)
        taken = time.perf_counter() - start
    if outcome.failed:
        raise SystemExit(outcome.failed[0].error)
    return taken


def processor_seconds(cluster: LocalCluster) -> float:
    """Return the processor time that the workers have had together."""
    with Client(cluster) as client:
        return sum(client.run(time.process_time).values())


def main() -> None:
    """Read the words and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=12)
    parser.add_argument("--size", type=int, default=1024)
    parser.add_argument("--pairs", type=int, default=2)
    parser.add_argument("--mesmer", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=".") as folder:
        root = Path(folder)
        images = simulated(root / "images", options.images, options.size) / "OMETIFF"
        few = simulated(root / "few", 4, 256) / "OMETIFF"
        model = None if options.mesmer else str(write_tiny_network(root / "small.onnx", surround=25))
        request = Request(paths=workspace_paths(root), model_path=model, engine="dask", report=False)
        compare(images, few, request, options.pairs)


def compare(images: Path, few: Path, request: Request, pairs: int) -> None:
    """Time one and two workers in turn and print what comes out."""
    taken: dict[int, list[float]] = {1: [], 2: []}
    with LocalCluster(
        n_workers=2, threads_per_worker=1, memory_limit="4GB", dashboard_address="127.0.0.1:0"
    ) as cluster:
        for _ in range(pairs):
            for count in sorted(taken, reverse=True):
                cluster.scale(count)
                cluster.wait_for_workers(count)
                time.sleep(2)  # until one that is to go has gone
                seconds(few, request, cluster.scheduler_address)
                before = processor_seconds(cluster)
                taken[count].append(seconds(images, request, cluster.scheduler_address))
                worked = (processor_seconds(cluster) - before) / count
                print(f"{count} worker(s): {taken[count][-1]:.1f} s, processor {worked:.1f} s each", flush=True)
    print(f"two workers take {min(taken[2]) / min(taken[1]):.3f} of one's time")


if __name__ == "__main__":
    main()
