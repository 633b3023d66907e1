"""OME-Zarr images read, and label masks written."""

from cellscale.images.zarr.label_zarr import write_label_zarr

__all__ = ["write_label_zarr"]
