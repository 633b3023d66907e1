"""Small images of bright spots that the tiny network finds, and datasets of them."""

from pathlib import Path

import numpy as np
import tifffile
from scipy.ndimage import gaussian_filter

__all__ = ["spots", "write_dataset", "write_image"]


def spots(shape, seed=0, dtype=np.uint16):
    """Return (2, rows, columns): blurred spots of nuclei, and larger ones of cells around them."""
    rng = np.random.default_rng(seed)
    points = np.zeros(shape, np.float32)
    count = max(shape[0] * shape[1] // 250, 1)
    points[rng.integers(0, shape[0], count), rng.integers(0, shape[1], count)] = rng.uniform(0.5, 1, count)
    nuclei, cells = (gaussian_filter(points, sigma) for sigma in (3, 5))
    planes = np.stack([nuclei / nuclei.max(), cells / cells.max()])
    planes += rng.normal(0, 0.01, planes.shape)
    return (np.clip(planes, 0, 1) * np.iinfo(dtype).max * 0.9).astype(dtype)


def write_image(path, planes, channels=("DAPI", "Membrane"), mpp=0.5, **settings):
    """Write an OME-TIFF."""
    metadata = {"axes": "CYX", "Channel": {"Name": list(channels)}}
    if mpp is not None:
        metadata |= {"PhysicalSizeX": mpp, "PhysicalSizeY": mpp, "PhysicalSizeXUnit": "µm", "PhysicalSizeYUnit": "µm"}
    path.parent.mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(path, planes, metadata=metadata, photometric="minisblack", ome=True, **settings)
    return path


def write_dataset(root: Path, **images):
    """Write a dataset with an OME-TIFF for each named array of planes."""
    for name, planes in images.items():
        write_image(root / "OMETIFF" / f"{name}.ome.tiff", planes)
    return root
