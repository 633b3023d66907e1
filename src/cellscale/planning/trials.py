"""Runs on simulated tissue that leave benchmark records of this machine."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from cellscale.errors import CellscaleError
from cellscale.pipeline.budget import usable_cores
from cellscale.records.benchmark_table import RecordFile, record_files
from cellscale.simulate.files import write_image
from cellscale.simulate.tissue_model import TissueModel
from cellscale.storage.credentials import opened_by
from cellscale.storage.uri import make_folder
from cellscale.workspace.layout import BENCHMARKS, workspace_paths

__all__ = ["Trials", "run_trials"]

_SHOWN = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Trials:
    """What to measure: every size with every batch size on every device."""

    sizes: Sequence[int]
    """Pixels a side."""
    batch_sizes: Sequence[int | None] = (None,)
    """Tiles that the network takes at once; None for the device's own choice."""
    devices: Sequence[str] = ("auto",)
    repeats: int = 1
    channels: int = 4
    seed: int = 0
    options: tuple[str, ...] = ()
    """Further words for the runs."""

    def __len__(self) -> int:
        """Return the number of runs."""
        return len(self.sizes) * len(self.batch_sizes) * len(self.devices) * self.repeats


def run_trials(folder: Path, trials: Trials, tell: Callable[[str], None]) -> tuple[RecordFile, ...]:
    """Segment and measure simulated images, each in a process of its own so that memory is told apart.

    Parameters
    ----------
    folder
        A dataset of its own; images that are there are used again.
    trials
        What to measure.
    tell
        Told of each run before it starts.

    Returns
    -------
    The records, which the dataset's ``jobs`` folder has as those of any run.

    Raises
    ------
    CellscaleError
        A run failed.
    """
    for side in dict.fromkeys(trials.sizes):
        tell(f"simulating {side} x {side} pixels")
        _simulate(folder, side, trials)
    benchmarks = Path(workspace_paths(folder).jobs) / BENCHMARKS
    before = {file.name for file in record_files(benchmarks)}
    rounds = product(range(trials.repeats), trials.devices, trials.batch_sizes, trials.sizes)
    for number, (_, device, batch, side) in enumerate(rounds, 1):
        tell(f"run {number} of {len(trials)}: {side} x {side} pixels, device {device}, batch size {batch or 'auto'}")
        _run(folder, _name(side, trials), device, batch, trials.options)
    return tuple(file for file in record_files(benchmarks) if file.name not in before)


def _simulate(folder: Path, side: int, trials: Trials) -> None:
    path = Path(workspace_paths(folder).images) / f"{_name(side, trials)}.ome.tiff"
    if not path.exists():
        make_folder(path.parent)
        write_image(
            path, TissueModel((side, side), seed=trials.seed, channels=trials.channels), workers=usable_cores()
        )


def _name(side: int, trials: Trials) -> str:
    # One that begins no other image's name: images are chosen by how their names begin.
    return f"tissue_{side}px_{trials.channels}ch_{trials.seed}seed"


def _run(folder: Path, name: str, device: str, batch: int | None, options: Sequence[str]) -> None:
    words = [sys.executable, "-m", "cellscale", "segment-and-measure", "--overwrite", "--no_report"]
    words += ["--image_filter", name, "--device", device, *options]
    words += [] if batch is None else ["--batch_size", str(batch)]
    done = subprocess.run(
        [*map(opened_by, words), "workspace", str(folder)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise CellscaleError(f"the run over {name} failed: {done.stderr.strip()[-_SHOWN:]}")
