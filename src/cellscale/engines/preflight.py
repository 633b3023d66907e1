"""What every engine needs on the machine that does the work."""

from functools import cache
from typing import TYPE_CHECKING

from cellscale.errors import RequestError
from cellscale.pipeline.model import Model
from cellscale.pipeline.request import ChannelAxis, Measuring, NetworkChoice, Request
from cellscale.predict.devices import AUTO, parse_device
from cellscale.predict.heads import Compartment
from cellscale.workspace.discovery import ImageEntry, discover

if TYPE_CHECKING:
    from cellscale.predict.network import Network

__all__ = ["checked_model", "choose_model", "find_images", "require_extras"]


def find_images(request: Request) -> list[ImageEntry]:
    """Return the images that a request is about; errors as of `cellscale.workspace.discovery.discover`."""
    listed: dict[tuple[str | None, ChannelAxis | None], dict[str, ImageEntry]] = {}
    for asked in (request, *(own.request for own in request.own)):
        choice = asked.channels.names, asked.channels.axis
        if choice not in listed:
            found = discover(request.paths, request.images.prefix, *choice, recursive=request.images.recursive)
            listed[choice] = {entry.name: entry for entry in found}
    own = {image: one.request for one in request.own for image in one.images}
    names = listed[request.channels.names, request.channels.axis]
    chosen = [(name, own.get(name, request).channels) for name in names]
    return [listed[channels.names, channels.axis][name] for name, channels in chosen]


def require_extras(measuring: Measuring) -> None:
    """Raise `RequestError` now, rather than after the first image, if an export cannot be made."""
    if not measuring.exports:
        return
    from cellscale.cells.exporters import find_exporter

    suffixes: dict[str, str] = {}
    for name in ("tsv", "parquet", *dict.fromkeys(measuring.exports)):
        exporter = find_exporter(name)
        exporter.require()
        other = suffixes.setdefault(exporter.suffix.lower(), name)
        if other != name:
            raise RequestError(
                f"the exports {other} and {name} would write the same files (..._QUANT{exporter.suffix}); leave one "
                "out"
            )


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
    return checked_model(
        request.network,
        request.predicted,
        threads=request.resources.workers or 0,
        computes=computes,
        tried=computes and not request.dry_run,
    )


def checked_model(
    choice: NetworkChoice,
    compartments: tuple[Compartment, ...],
    *,
    threads: int = 0,
    computes: bool = True,
    tried: bool = True,
) -> Model:
    """Return a network, its file checked now, loaded when the first image needs it.

    Parameters
    ----------
    choice
        Which network, and what computes it.
    compartments
        What it is to find.
    threads
        Threads that compute a tile; 0 for as many as there are cores.
    computes
        Whether this machine computes the network.
    tried
        Whether a device that was named is tried now, so that one that does not work is told before the first image.

    Raises
    ------
    ModelError
        The weights are missing or not the ones asked for, or the device does not work.
    RequestError
        The device is not installed.
    """
    # What only measures does without the network's library.
    from cellscale.predict.choice import NetworkRequest, candidates, open_network
    from cellscale.weights.races import KeptRaces, compiled_folder
    from cellscale.weights.resolve import resolve_model

    device = parse_device(choice.device)
    expected = candidates(device, choice.precision)[0].name if computes else device.name
    resolved = resolve_model(choice.path, choice.checksum)
    folder = compiled_folder(resolved.sha256)

    @cache
    def load() -> "Network":
        return open_network(
            NetworkRequest(
                model=resolved.path,
                compartments=compartments,
                device=device,
                precision=choice.precision,
                threads=threads,
                batch_size=choice.batch_size,
                name=resolved.name,
                cache=folder,
                races=KeptRaces(folder),
            )
        )

    if tried and (device.name not in (AUTO, "cpu") or device.engine == "native"):
        load()
    if device.engine == "native":
        expected = "cpu:native"
    return Model(resolved.sha256, load, f"{expected} {choice.precision}")
