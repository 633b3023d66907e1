"""Tissue with known truth."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cellscale.simulate.tissue_model import SimulatedTissue, TissueModel, tissue

__all__ = ["SimulatedTissue", "TissueModel", "tissue"]


def __getattr__(name: str) -> Any:
    # The model compiles kernels, which nobody should wait for who only imports the package.
    if name in __all__:
        return getattr(import_module("cellscale.simulate.tissue_model"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
