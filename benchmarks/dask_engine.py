"""Time that one and two Dask workers of one thread take for the same images, and what two save.

Usage, from the project's root: ``python -m benchmarks.dask_engine [--images 12] [--size 1024] [--mesmer] [--free]``.
Without ``--mesmer`` a network of a few operations takes Mesmer's place. Workers are warm before they are timed, and
one and two take turns, so that whatever else the machine does hits both.

Each worker keeps to a core of its own, as in a job of one core. With ``--free`` it does not: a worker alone then also
uses the other core, for what one thread does beside another (the network beside labels, tables beside the project's
objects), and two cannot be twice as fast as that.

Prints where the time of each run went, and the smallest of two workers' as a share of the smallest of one's, which is
0.5 at best. Where a worker's processor time is much less than the time that it was busy, the machine was busy with
something else; the last lines are what can then be relied upon.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import dask
from distributed import Client, LocalCluster

from cellscale.engines.dask.cluster import OWN_CLUSTER
from cellscale.engines.dask.dask_engine import run
from cellscale.engines.engine_request import DaskOptions
from cellscale.pipeline.events import ignore
from cellscale.pipeline.request import NetworkChoice, Outputs, Request
from cellscale.workspace.layout import workspace_paths
from tests.predict.tiny_network import write_tiny_network


def simulated(dataset: Path, images: int, size: int) -> Path:
    """Make a dataset of simulated tissue."""
    words = ["simulate", str(dataset), "--images", str(images), "--size", str(size), "--channels", "4"]
    subprocess.run([sys.executable, "-m", "cellscale", *words], check=True, stdout=subprocess.DEVNULL)
    return dataset


@dataclass(frozen=True)
class Timing:
    """Where the time of a run went; seconds."""

    taken: float
    begin: float
    """Before the first task began: connecting, looking for images, checking the network and the workers."""
    end: float
    """After the last task: the project's list, benchmark records, disconnecting."""
    busy: tuple[float, ...]
    """In which each worker had a task."""
    between: tuple[float, ...]
    """In which each worker had none, between its first and its last."""
    alone: float
    """In which not all workers had a task any more, or not yet."""
    processor: float
    """Processor time of all workers."""
    own: float
    """Processor time of this process: the scheduler and what gives out the work."""

    def __str__(self) -> str:
        each = ", ".join(f"{busy:.2f} (gaps {gap:.2f})" for busy, gap in zip(self.busy, self.between, strict=True))
        return (
            f"{self.taken:.2f} s = {self.begin:.2f} begin + tasks + {self.end:.2f} end; workers busy {each}; "
            f"{self.alone:.2f} s not all busy; processor {self.processor:.2f} s (this process {self.own:.2f})"
        )


def timed_run(images: Path, request: Request, cluster: LocalCluster) -> Timing:
    """Work on a copy of the images, which has no outputs yet."""
    with Client(cluster) as client, tempfile.TemporaryDirectory(dir=images.parent) as folder:
        shutil.copytree(images, Path(folder) / "OMETIFF")
        client.get_task_stream(count=0)  # from here on the scheduler keeps the times of tasks
        before, own = processor_seconds(client), time.process_time()
        began, start = time.time(), time.perf_counter()
        asked = replace(request, paths=workspace_paths(folder))
        outcome = run(asked, ignore, DaskOptions(scheduler=cluster.scheduler_address))
        taken = time.perf_counter() - start
        if outcome.failed:
            raise SystemExit(outcome.failed[0].error)
        tasks = [task for task in client.get_task_stream(start=began) if task["key"].startswith("cellscale")]
        return _timing(tasks, began, taken, processor_seconds(client) - before, time.process_time() - own)


def _timing(tasks: Sequence[dict[str, Any]], began: float, taken: float, processor: float, own: float) -> Timing:
    spans: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for task in tasks:
        times = task["startstops"]
        spans[task["worker"]].append((min(time["start"] for time in times), max(time["stop"] for time in times)))
    firsts = [min(start for start, _ in found) for found in spans.values()]
    lasts = [max(stop for _, stop in found) for found in spans.values()]
    busy = tuple(sum(stop - start for start, stop in found) for found in spans.values())
    whole = [last - first for first, last in zip(firsts, lasts, strict=True)]
    return Timing(
        taken=taken,
        begin=min(firsts) - began,
        end=began + taken - max(lasts),
        busy=busy,
        between=tuple(span - worked for span, worked in zip(whole, busy, strict=True)),
        alone=max(firsts) - min(firsts) + max(lasts) - min(lasts),
        processor=processor,
        own=own,
    )


def keep_to_cores(cluster: LocalCluster) -> None:
    """Let each worker, all its threads, use one core."""

    def keep(core: int) -> None:
        for thread in Path("/proc/self/task").iterdir():
            os.sched_setaffinity(int(thread.name), {core})

    with Client(cluster) as client:
        for core, worker in zip(sorted(os.sched_getaffinity(0)), client.nthreads(), strict=False):
            client.run(keep, core, workers=[worker])


def processor_seconds(client: Client) -> float:
    """Return the processor time that the workers have had together."""
    return float(sum(client.run(time.process_time).values()))


def main() -> None:
    """Read the words and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=12)
    parser.add_argument("--size", type=int, default=1024)
    parser.add_argument("--pairs", type=int, default=2)
    parser.add_argument("--mesmer", action="store_true")
    parser.add_argument("--free", action="store_true", help="let a worker use all cores")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=".") as folder:
        root = Path(folder)
        images = simulated(root / "images", options.images, options.size) / "OMETIFF"
        few = simulated(root / "few", 4, 256) / "OMETIFF"
        model = None if options.mesmer else str(write_tiny_network(root / "small.onnx", surround=25))
        request = Request(
            paths=workspace_paths(root), network=NetworkChoice(path=model), outputs=Outputs(report=False)
        )
        compare(images, few, request, options.pairs, free=options.free)


def compare(images: Path, few: Path, request: Request, pairs: int, *, free: bool) -> None:
    """Time one and two workers in turn and print what comes out."""
    taken: dict[int, list[Timing]] = {1: [], 2: []}
    with (
        dask.config.set(OWN_CLUSTER),
        LocalCluster(
            n_workers=2, threads_per_worker=1, memory_limit="4GB", dashboard_address="127.0.0.1:0"
        ) as cluster,
    ):
        for _ in range(pairs):
            for count in sorted(taken, reverse=True):
                cluster.scale(count)
                cluster.wait_for_workers(count)
                time.sleep(2)  # until one that is to go has gone
                if not free:
                    keep_to_cores(cluster)
                timed_run(few, request, cluster)
                taken[count].append(timed_run(images, request, cluster))
                print(f"{count} worker(s): {taken[count][-1]}", flush=True)
    conclude(taken[1], taken[2])


def conclude(one: Sequence[Timing], two: Sequence[Timing]) -> None:
    """Print the quickest runs' share, and from what it comes."""
    single, pair = min(one, key=_taken), min(two, key=_taken)
    print(f"two workers take {pair.taken / single.taken:.3f} of one's time")
    for count, timing in ((1, single), (2, pair)):
        print(
            f"  {count}: {timing.begin + timing.end:.2f} s of {timing.taken:.2f} s are no tasks, gaps between tasks "
            f"{sum(timing.between):.2f} s, one waits for the other {timing.alone:.2f} s, "
            f"{timing.processor / (timing.taken - timing.begin - timing.end):.2f} cores busy"
        )
    least = [min(timing.processor for timing in timings) for timings in (one, two)]
    print(f"  processor time of a worker of two: {least[1] / least[0] / 2:.3f} of that of one alone")


def _taken(timing: Timing) -> float:
    return timing.taken


if __name__ == "__main__":
    main()
