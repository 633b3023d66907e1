"""A folder of simulated images."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np

from cellscale.errors import RequestError
from cellscale.simulate.files.image_file import write_image
from cellscale.simulate.files.truth_files import truth_paths, write_truth
from cellscale.simulate.marker_panel import DEFAULT_CHANNELS
from cellscale.simulate.tissue_model import TissueModel
from cellscale.storage.storage_errors import explained

__all__ = ["Dataset", "Listener", "Simulated", "disk_space", "simulate"]

_MAX_IMAGES = 999_999
_IMAGES, _TRUTH = "OMETIFF", "TRUTH"
_FILE_SHARE = 1.25
"""Bytes of a file for each raw byte: the pyramid adds a third, deflating takes a tenth."""

_TRUTH_BYTES_PER_PIXEL = 0.2

Listener: TypeAlias = Callable[[str, int], None]
"""Told an image's name and a number of pixels of it that were made; with truth every pixel is made three times."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """What to simulate."""

    shape: tuple[int, int]
    """Rows and columns of each image."""

    images: int = 1
    channels: tuple[str, ...] | int = DEFAULT_CHANNELS
    """Names of markers, or how many of the catalogue."""

    seed: int = 0
    dtype: Literal["uint8", "uint16"] = "uint16"
    truth: bool = False
    """Write masks and a table of cells too."""


@dataclass(frozen=True, slots=True)
class Simulated:
    """One image of the dataset."""

    path: Path
    skipped: bool
    """It was there already."""


def simulate(
    folder: Path,
    dataset: Dataset,
    *,
    overwrite: bool = False,
    workers: int = 1,
    listen: Listener = lambda _name, _pixels: None,
) -> list[Simulated]:
    """Write simulated images to ``OMETIFF``, with their truth in ``TRUTH`` where asked for.

    The same dataset gives the same bytes, however many workers make it. A file that is there is left as it is.

    Parameters
    ----------
    folder
        The dataset's folder; made where missing.
    dataset
        What to simulate.
    overwrite
        Make again what is there.
    workers
        Number of threads.
    listen
        Told what was made.

    Returns
    -------
    The images in order.

    Raises
    ------
    RequestError
        If the request cannot be met: an argument out of its range, an unknown channel, too little disk space.
    StorageError
        If a file cannot be written.
    """
    if not 1 <= dataset.images <= _MAX_IMAGES:
        raise RequestError(f"{dataset.images} images cannot be simulated; give 1 to {_MAX_IMAGES}")
    if workers < 1:
        raise RequestError(f"{workers} workers cannot work; give at least 1")
    TissueModel(dataset.shape, seed=dataset.seed, channels=dataset.channels, dtype=dataset.dtype)
    jobs = [_Job(folder, f"tissue_{index + 1:03d}", index, dataset) for index in range(dataset.images)]
    unfinished = jobs if overwrite else [job for job in jobs if not job.is_done]
    if unfinished:
        _make_folders(folder, dataset, len(unfinished))
    for job in unfinished:
        job.run(overwrite=overwrite, workers=workers, listen=listen)
    return [Simulated(job.image, job not in unfinished) for job in jobs]


@dataclass(frozen=True, slots=True)
class _Job:
    """One image to make."""

    folder: Path
    name: str
    index: int
    dataset: Dataset

    @property
    def image(self) -> Path:
        return self.folder / _IMAGES / f"{self.name}.ome.tiff"

    @property
    def has_truth(self) -> bool:
        return all(path.exists() for path in truth_paths(self.folder / _TRUTH, self.name))

    @property
    def is_done(self) -> bool:
        return self.image.exists() and (self.has_truth or not self.dataset.truth)

    def run(self, *, overwrite: bool, workers: int, listen: Listener) -> None:
        """Make what is missing, or all of it."""
        dataset = self.dataset
        model = TissueModel(
            dataset.shape, seed=dataset.seed, channels=dataset.channels, index=self.index, dtype=dataset.dtype
        )
        if overwrite or not self.image.exists():
            write_image(self.image, model, workers=workers, advance=lambda pixels: listen(self.name, pixels))
        if dataset.truth and (overwrite or not self.has_truth):
            write_truth(self.folder / _TRUTH, self.name, model, advance=lambda pixels: listen(self.name, pixels))


def _make_folders(folder: Path, dataset: Dataset, images: int) -> None:
    """Make the folders if the disk has room for the images."""
    with explained("write", folder):
        for name in (_IMAGES, _TRUTH)[: 1 + dataset.truth]:
            (folder / name).mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
    needed = disk_space(dataset, images)
    if needed > free:
        raise RequestError(
            f"{images} images of {dataset.shape[0]} x {dataset.shape[1]} pixels need about {needed / 1e9:.1f} GB in "
            f"{folder}, which has {free / 1e9:.1f} GB left; make fewer or smaller images, or choose another folder"
        )


def disk_space(dataset: Dataset, images: int) -> float:
    """Return the bytes that making so many images of the dataset takes at most, the scratch file included."""
    channels = dataset.channels if isinstance(dataset.channels, int) else len(dataset.channels)
    pixels = dataset.shape[0] * dataset.shape[1]
    finished = pixels * (
        channels * np.dtype(dataset.dtype).itemsize * _FILE_SHARE + dataset.truth * _TRUTH_BYTES_PER_PIXEL
    )
    return finished * (images + 1)
