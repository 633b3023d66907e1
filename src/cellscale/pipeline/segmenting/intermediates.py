"""The network's input and its maps, kept as Zarr for those who want to look at them."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from cellscale.ordered import in_order
from cellscale.pipeline.image_run import ImageRun
from cellscale.pipeline.segmenting.preparation import PreparedImage
from cellscale.pipeline.segmenting.tile_store import TileStore
from cellscale.predict.blending import blend
from cellscale.predict.heads import Head
from cellscale.regions import Region, blocks

__all__ = ["save_intermediates"]

CHUNK = 1024
"""Rows and columns of a chunk, and of what is computed at once."""


def save_intermediates(
    run: ImageRun, target: Path, prepared: PreparedImage, tiles: TileStore, heads: tuple[Head, ...]
) -> None:
    """Write a Zarr group with the arrays ``preprocessed`` and ``maps``.

    ``preprocessed`` is float32 ``(2, rows, columns)``, nucleus then membrane; ``maps`` is float32
    ``(maps, rows, columns)``, named by the group's attribute ``maps``. Both are at the network's pixel size.

    Parameters
    ----------
    run
        Who listens, and how much of the machine may be used.
    target
        Folder of the group; it appears when it is whole and replaces an earlier one.
    prepared
        The network's input.
    tiles
        The network's output.
    heads
        What the maps are.
    """
    import zarr  # takes half a second to load, and few ask for it

    cores = list(blocks(prepared.shape, (CHUNK, CHUNK)))
    with run.stage("intermediates", len(cores)) as advance, _replacing(target) as folder:
        group = zarr.create_group(folder, attributes={"maps": [f"{head.compartment} {head.kind}" for head in heads]})
        arrays = [
            group.create_array(name, shape=(count, *prepared.shape), chunks=(count, CHUNK, CHUNK), dtype=np.float32)
            for name, count in (("preprocessed", 2), ("maps", len(heads)))
        ]

        def write(core: Region) -> None:
            arrays[0][:, *core.slices] = prepared.read(core)
            arrays[1][:, *core.slices] = blend(tiles.read, tiles.groups.grid, core)

        for _ in in_order(write, cores, run.budget.workers):
            advance()


@contextmanager
def _replacing(target: Path) -> Iterator[Path]:
    """Give a folder to write into, which becomes ``target`` at the end."""
    part = target.with_name(f".{target.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.parent.mkdir(parents=True, exist_ok=True)
    yield part
    shutil.rmtree(target, ignore_errors=True)
    part.rename(target)
