"""The version of our kernels."""

from typing import Final

__all__ = ["KERNELS"]

KERNELS: Final = 4
"""It changes where last bits of the maps do, or the speed: 1 left the whole body to ONNX Runtime."""
