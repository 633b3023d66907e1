"""What every engine needs on the machine that does the work."""

from functools import cache

from cellscale.cells.anndata_file import require
from cellscale.pipeline.request import Request
from cellscale.pipeline.segment_image import Model
from cellscale.predict.network import BATCH, OnnxNetwork
from cellscale.weights.resolve import resolve_model

__all__ = ["choose_model", "require_extras"]


def require_extras(request: Request) -> None:
    """Raise `RequestError` now, rather than after the first image, if an export's package is not installed."""
    if "anndata" in request.exports:
        require("anndata")


def choose_model(request: Request) -> Model | None:
    """Return the network that is asked for, checked now and loaded when the first image needs it.

    Returns
    -------
    None where nothing is to be segmented.

    Raises
    ------
    ModelError
        The weights are missing or not the ones asked for.
    """
    if not request.segment:
        return None
    resolved = resolve_model(request.model_path, request.model_hash)

    @cache
    def load() -> OnnxNetwork:
        return OnnxNetwork(
            resolved.path,
            compartments=request.compartments,
            threads=request.workers or 0,
            batch_size=request.batch_size or BATCH,
            name=resolved.name,
        )

    return Model(resolved.sha256, load)
