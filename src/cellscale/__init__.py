"""Find every cell in multiplexed tissue images of any size, and measure it."""

from typing import TYPE_CHECKING, Any

from cellscale.privacy import silence_onnxruntime

if TYPE_CHECKING:
    from cellscale.api import Segmentation, Tuning, measure, open_image, segment, tune

__version__ = "0.2.0"
__all__ = ["Segmentation", "Tuning", "__version__", "measure", "open_image", "segment", "tune"]

silence_onnxruntime()


def __dir__() -> list[str]:
    """Name the interface, which is loaded when it is first used."""
    return sorted(__all__)


def __getattr__(name: str) -> Any:
    """Load the interface when it is first used, so that ``cellscale --help`` need not wait for it."""
    if name in __all__:
        from cellscale import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
