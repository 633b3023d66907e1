"""The engine of one machine: image after image, each on all cores."""

from contextlib import ExitStack
from functools import cache
from threading import Thread

from cellscale.cells.anndata_file import require
from cellscale.compiled import warm_up
from cellscale.errors import RequestError
from cellscale.pipeline.budget import Budget
from cellscale.pipeline.events import ImageStarted, Listener
from cellscale.pipeline.image import process_image
from cellscale.pipeline.outcome import RunOutcome
from cellscale.pipeline.request import Request
from cellscale.pipeline.segment_image import Model
from cellscale.predict.network import BATCH, OnnxNetwork
from cellscale.storage.locks import run_lock
from cellscale.storage.uri import join, make_folder
from cellscale.weights.resolve import resolve_model
from cellscale.workspace.discovery import discover

__all__ = ["run"]


def run(request: Request, listener: Listener) -> RunOutcome:
    """Work on the images of a dataset one after another.

    Parameters
    ----------
    request
        What to do with which images.
    listener
        Is told of progress.

    Returns
    -------
    What became of each image; one that fails does not stop the others.

    Raises
    ------
    RequestError
        The request is wrong: no images, no weights, an extra that is not installed, or another run at work on the
        dataset.
    """
    _refuse_other_engines(request)
    if "anndata" in request.exports:
        require("anndata")  # now, rather than after the first image's segmentation
    entries = discover(request.paths, request.image_filter)
    budget = Budget.choose(request.workers, request.max_memory)
    model = _model(request) if request.segment else None
    Thread(target=warm_up, name="cellscale-warm-up", daemon=True).start()
    with ExitStack() as stack:
        if not request.dry_run:
            make_folder(request.paths.jobs)
            stack.enter_context(run_lock(join(request.paths.jobs, "lock")))
        outcomes = []
        for position, entry in enumerate(entries, 1):
            listener(ImageStarted(entry.name, position, len(entries)))
            outcomes.append(process_image(entry, request, model, budget, listener))
    return RunOutcome(tuple(outcomes))


def _refuse_other_engines(request: Request) -> None:
    """Refuse what would otherwise silently run here instead of elsewhere, or not at all."""
    asked = {
        "--env_config_uri": request.env_config_uri,
        "--segmentation_compute_config": request.segmentation_compute_config,
        "--measurement_compute_config": request.measurement_compute_config,
        "--visualize": request.visualize,
    }
    for option, value in asked.items():
        if value:
            raise RequestError(
                f"{option} is given, which this version of cellscale cannot do yet: it works on this machine and "
                "draws no pictures. Leave the option out."
            )


def _model(request: Request) -> Model:
    """Return the network that is asked for; it is checked now and loaded when the first image needs it."""
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
