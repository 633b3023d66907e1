"""What every engine needs on the machine that does the work."""

from functools import cache
from typing import TYPE_CHECKING

from cellscale.engines.at_work import refuse_busy
from cellscale.errors import RequestError
from cellscale.pipeline.model import Model
from cellscale.pipeline.request import Request
from cellscale.predict.devices import AUTO, parse_device
from cellscale.weights.catalogue import cache_folder

if TYPE_CHECKING:
    from cellscale.predict.network import Network

__all__ = ["choose_model", "refuse_cluster", "refuse_rented", "require_extras"]


def require_extras(request: Request) -> None:
    """Raise `RequestError` now, rather than after the first image, if an export's package is not installed."""
    if "anndata" in request.exports:
        from cellscale.cells.anndata_file import require_anndata

        require_anndata()


def refuse_rented(request: Request) -> None:
    """Raise `RequestError` if options are given that only mean something for rented machines, or if such are at work.

    Raises
    ------
    RunInProgressError
        Rented machines are at work on the dataset.
    """
    asked = {
        "--env_config_uri": request.env_config_uri is not None,
        "--segmentation_compute_config": request.segmentation_compute_config is not None,
        "--measurement_compute_config": request.measurement_compute_config is not None,
        "--parallelism": request.parallelism is not None,
        "--stages separate": request.stages == "separate",
        "--wait": request.wait,
    }
    for option, given in asked.items():
        if given:
            raise RequestError(
                f"{option} has no meaning with --engine {request.engine}, which rents no machines; leave it out, or "
                "take --engine batch"
            )
    if not request.dry_run:
        refuse_busy(request.paths.jobs)


def refuse_cluster(request: Request) -> None:
    """Raise `RequestError` if options are given that only mean something for a Dask cluster."""
    asked = {"--dask_scheduler": request.dask_scheduler, "--dask_workers": request.dask_workers}
    for option, value in asked.items():
        if value is not None:
            raise RequestError(f"{option} has no meaning with --engine {request.engine}; take --engine dask")


def choose_model(request: Request, *, computes: bool = True) -> Model | None:
    """Return the network that is asked for, checked now and loaded when the first image needs it.

    Parameters
    ----------
    request
        What to do.
    computes
        Whether this machine computes the network; False where others do, which may have other devices.

    Returns
    -------
    None where nothing is to be segmented.

    Raises
    ------
    ModelError
        The weights are missing or not the ones asked for, or the device does not work.
    RequestError
        The device is not installed.
    """
    if not request.segment:
        return None
    # What only measures does without the network's library.
    from cellscale.predict.choice import NetworkRequest, candidates, open_network
    from cellscale.weights.resolve import resolve_model

    device = parse_device(request.device)
    expected = candidates(device, request.precision)[0].name if computes else device.name
    resolved = resolve_model(request.model_path, request.model_hash)

    @cache
    def load() -> "Network":
        return open_network(
            NetworkRequest(
                model=resolved.path,
                compartments=request.compartments,
                device=device,
                precision=request.precision,
                threads=request.workers or 0,
                batch_size=request.batch_size,
                name=resolved.name,
                cache=cache_folder() / "compiled" / resolved.sha256[:12],
            )
        )

    if computes and device.name not in (AUTO, "cpu") and not request.dry_run:
        load()  # a device that was named and does not work is told before the first image
    return Model(resolved.sha256, load, f"{expected} {request.precision}")
