"""The networks side by side: simulated tissue, whose truth is known, and the agreement on real images.

Usage, from the project's root: ``python -m benchmarks.networks [--networks mesmer instanseg] [--side 256]
[--real IMAGE ...] [--crop 512]``. Needs the weights. Prints the tables of ``docs/accuracy.md``.

- Density: of some fields those with the fewest, a middling number of and the most cells.
- Noise: the share of the photons that the simulated camera collects; the rest of its noise stays.
- Pixel size: what the camera sees at 0.5 µm is enlarged, or averaged, before the photons are counted.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations, product
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import zoom

from benchmarks.agreement import agreement
from cellscale.engines.preflight import checked_model
from cellscale.images.array import ArrayImage
from cellscale.images.channels import combined_reader, select_channels
from cellscale.images.info import PixelSize
from cellscale.images.open import open_image
from cellscale.images.pixel_size import choose_pixel_size
from cellscale.label.parameters import usual_parameters
from cellscale.pipeline.budget import Budget
from cellscale.pipeline.events import ignore
from cellscale.pipeline.image_run import ImageRun
from cellscale.pipeline.model import Model
from cellscale.pipeline.request import NetworkChoice
from cellscale.pipeline.resume import RunState
from cellscale.pipeline.segmenting import network_input, segment_channels
from cellscale.predict.heads import COMPARTMENTS
from cellscale.regions import Region
from cellscale.simulate.tissue_model import SimulatedTissue, tissue

DENSITIES = ("sparse", "middling", "dense")
PHOTONS = (1.0, 0.25, 0.05)
PIXEL_SIZES = (0.25, 0.5, 1.0)
IOUS = (0.5, 0.7, 0.9)
OBJECTS = ("cells", "nuclei")
"""Words for the compartments."""

FIELDS = 16
"""Fields among which those of three densities are looked for."""

GAIN, OFFSET, READ_NOISE = 40.0, 160.0, 3.0
"""Counts a photon, counts without light, and photons: the simulated camera's."""


@dataclass(frozen=True, slots=True)
class Scene:
    """An image and what is there."""

    image: NDArray[np.uint16]
    truth: dict[str, NDArray[np.int32]]
    mpp: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How well a network finds nuclei, or cells, in a scene."""

    scene: dict[str, str]
    network: str
    objects: str
    count: float
    """Objects found, as a share of those that are there."""
    area: float
    """Median area of those found, as a share of that of those that are there."""
    f1: tuple[float, ...]
    """At each of `IOUS`."""


@cache
def loaded(network: str) -> Model:
    """Return a network that is loaded once."""
    return checked_model(NetworkChoice(name=network, device="cpu"), COMPARTMENTS)


def find(network: str, image: NDArray[np.uint16], mpp: float) -> dict[str, NDArray[np.int32]]:
    """Return the nuclei and cells of an image whose two channels are nuclei and membranes."""
    model = loaded(network)
    source = ArrayImage(image, channel_names=["DAPI", "Membrane"], pixel_size=PixelSize(mpp, mpp))
    size = choose_pixel_size(source.info)
    channels = network_input(source, pixel_size=size, apart=model.kind == "seeds")
    parameters = dict(zip(COMPARTMENTS, usual_parameters(network), strict=True))
    with TemporaryDirectory() as folder:
        run = ImageRun("image", ignore, Budget.choose())
        labels = segment_channels(run, RunState(Path(folder)), channels, model.load(), parameters)
        return {name: labels[one].read(source.info.region) for one, name in zip(COMPARTMENTS, OBJECTS, strict=True)}


def fields(side: int) -> dict[str, SimulatedTissue]:
    """Return a field of each density."""
    found = [tissue((side, side), seed=7, channels=("DAPI", "Membrane"), index=index) for index in range(FIELDS)]
    found.sort(key=lambda field: int(np.unique(field.whole_cell).size))
    return dict(zip(DENSITIES, (found[0], found[FIELDS // 2], found[-1]), strict=True))


def scene(field: SimulatedTissue, photons: float, mpp: float) -> Scene:
    """Return a field as a camera sees it at another exposure and magnification."""
    light = np.clip((field.image.astype(np.float32) - OFFSET) / GAIN, 0, None)
    factor = 0.5 / mpp
    truth = {"nuclei": field.nucleus, "cells": field.whole_cell}
    if factor > 1:
        light = np.stack([zoom(plane, factor, order=1, grid_mode=True, mode="nearest") for plane in light])
        truth = {name: labels.repeat(int(factor), 0).repeat(int(factor), 1) for name, labels in truth.items()}
    elif factor < 1:
        step = round(1 / factor)
        light = light.reshape(2, light.shape[1] // step, step, -1, step).mean((2, 4))
        truth = {name: labels[step // 2 :: step, step // 2 :: step] for name, labels in truth.items()}
    if photons < 1:
        random = np.random.default_rng(0)
        light = random.poisson(light * photons) + random.normal(0, READ_NOISE, light.shape)
    counts = np.clip(light * GAIN / photons + OFFSET, 0, 65535).astype(np.uint16)
    return Scene(counts, truth, mpp)


def simulated(networks: Sequence[str], side: int) -> Iterator[Score]:
    """Yield how well each network finds each kind of object in each scene."""
    for (density, field), photons, mpp in product(fields(side).items(), PHOTONS, PIXEL_SIZES):
        seen = scene(field, photons, mpp)
        for network in networks:
            found = find(network, seen.image, mpp)
            for objects, truth in seen.truth.items():
                labels = found[objects]
                yield Score(
                    scene={"density": density, "photons": f"{photons:.0%}", "µm/px": f"{mpp:g}"},
                    network=network,
                    objects=objects,
                    count=count(labels) / count(truth),
                    area=area(labels) / area(truth),
                    f1=tuple(agreement(truth, labels, iou).f1 for iou in IOUS),
                )


def table(scores: Sequence[Score], networks: Sequence[str]) -> Iterator[str]:
    """Yield the lines of a table of means: over all scenes, and over those that have one thing in common."""
    yield "| scenes | network | nuclei: F1 | count | area | cells: F1 | count | area |"
    yield "|---|---|---|---|---|---|---|---|"
    levels = dict.fromkeys(pair for score in scores for pair in score.scene.items())
    for level in [None, *sorted(levels, key=lambda pair: list(scores[0].scene).index(pair[0]))]:
        for network in networks:
            cells = []
            for objects in ("nuclei", "cells"):
                chosen = [
                    score
                    for score in scores
                    if (score.network, score.objects) == (network, objects)
                    and (level is None or level in score.scene.items())
                ]
                f1 = ", ".join(f"{value:.2f}" for value in np.mean([score.f1 for score in chosen], axis=0))
                means = [np.mean([score.count for score in chosen]), np.mean([score.area for score in chosen])]
                cells += [f1, *(f"{value:.2f}" for value in means)]
            yield f"| {'all' if level is None else ' '.join(level)} | {network} | {' | '.join(cells)} |"


def real(networks: Sequence[str], images: Sequence[Path], crop: int) -> Iterator[str]:
    """Yield the lines of the table of real images: the middle of each, as the networks see it."""
    yield "| image | objects | networks | counts | F1 0.5 | F1 0.7 | F1 0.9 | areas, µm² |"
    yield "|---|---|---|---|---|---|---|---|"
    for path in images:
        planes, mpp = middle(path, crop)
        found = {network: find(network, planes, mpp) for network in networks}
        for (first, second), objects in product(combinations(networks, 2), ("nuclei", "cells")):
            one, other = found[first][objects], found[second][objects]
            scores = " | ".join(f"{agreement(one, other, iou).f1:.2f}" for iou in IOUS)
            areas = f"{area(one) * mpp**2:.0f}, {area(other) * mpp**2:.0f}"
            yield (
                f"| {path.name.split('.')[0]} | {objects} | {first}, {second} | {count(one)}, {count(other)} "
                f"| {scores} | {areas} |"
            )


def middle(path: Path, crop: int) -> tuple[NDArray[np.uint16], float]:
    """Return nuclei and membranes in the middle of an image, and its pixel size."""
    image = open_image(path)
    try:
        height, width = image.info.shape
        top, left = max(0, (height - crop) // 2), max(0, (width - crop) // 2)
        region = Region(top, left, min(height, top + crop), min(width, left + crop))
        chosen = select_channels(image.info, (), ())
        planes = [combined_reader(image, indices, "sum")(region) for indices in (chosen.nuclear, chosen.membrane)]
        return np.stack(planes).astype(np.uint16), choose_pixel_size(image.info).mpp
    finally:
        image.close()


def count(labels: NDArray[np.int32]) -> int:
    """Return the number of objects."""
    return int(np.count_nonzero(np.unique(labels)))


def area(labels: NDArray[np.int32]) -> float:
    """Return the median of the areas of objects in pixels; NaN without any."""
    sizes = np.unique(labels[labels > 0], return_counts=True)[1]
    return float(np.median(sizes)) if sizes.size else float("nan")


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", default=["mesmer", "instanseg"])
    parser.add_argument("--side", type=int, default=256, help="pixels of a simulated field's side at 0.5 µm")
    parser.add_argument("--real", nargs="*", type=Path, default=[])
    parser.add_argument("--crop", type=int, default=512, help="pixels of a side that is taken of real images")
    asked = parser.parse_args()
    for line in real(asked.networks, asked.real, asked.crop) if asked.real else ():
        print(line, flush=True)
    print()
    for line in table(list(simulated(asked.networks, asked.side)), asked.networks):
        print(line, flush=True)


if __name__ == "__main__":
    main()
