"""NumPy's NPZ files, read as images and written in pieces."""

from cellscale.images.npz.npz_image import ARRAY, NpzImage, array_names, open_npz
from cellscale.images.npz.npz_writer import NpzArray, write_npz

__all__ = ["ARRAY", "NpzArray", "NpzImage", "array_names", "open_npz", "write_npz"]
