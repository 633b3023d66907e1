"""What every engine needs on the machine that does the work."""

from dataclasses import fields, replace
from functools import cache
from typing import TYPE_CHECKING

from cellscale.errors import ModelError, RequestError
from cellscale.label.parameters import NUCLEUS, WHOLE_CELL, Parameters
from cellscale.pipeline.model import LIKE_INSTANSEG, LIKE_MESMER, Interface, Model
from cellscale.pipeline.request import ChannelAxis, Measuring, NetworkChoice, Request
from cellscale.predict.devices import AUTO, parse_device
from cellscale.predict.heads import Compartment
from cellscale.preprocess.preprocessing import MESMER
from cellscale.storage.uri import base_name
from cellscale.workspace.discovery import ImageEntry, discover

if TYPE_CHECKING:
    from cellscale.predict.input_format import Said
    from cellscale.predict.network import Network
    from cellscale.predict.network_kinds import NetworkKind

__all__ = [
    "checked_model",
    "choose_model",
    "find_images",
    "interface_of",
    "named_kind",
    "options_of_maxima",
    "refuse_options_of_maxima",
    "refuse_options_of_others",
    "require_extras",
]

INSTANSEG = "instanseg"
"""What the network is called that makes labels of seeds."""

_SUCCESSOR = "torch-mesmer"
"""What Mesmer's successor is called, whose maps lie in one output."""


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
    asked_for = [(name, own.get(name, request).channels) for name in names]
    entries = [listed[channels.names, channels.axis][name] for name, channels in asked_for]
    return _of_files(request, entries) if request.images.files else entries


def _of_files(request: Request, entries: list[ImageEntry]) -> list[ImageEntry]:
    """Return those images that lie in the files that are asked for."""
    files = set(request.images.files)
    chosen = [entry for entry in entries if entry.image is not None and base_name(entry.image) in files]
    if not chosen:
        raise RequestError(
            f"none of {', '.join(sorted(files))} is worked on in {request.paths.images}: their names do not begin "
            f"with {request.images.prefix!r}, or are those of masks"
        )
    return chosen


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
    model = checked_model(
        request.network,
        request.predicted,
        threads=request.resources.workers or 0,
        computes=computes,
        tried=computes and not request.dry_run,
    )
    for asked in (request, *(own.request for own in request.own)):
        refuse_options_of_others(asked, model)
    return model


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
    from cellscale.predict.input_format import said_of
    from cellscale.predict.instanseg import SeedNetwork, seed_model
    from cellscale.predict.network_kinds import require_torch_mesmer
    from cellscale.predict.tiles import TILE
    from cellscale.weights.catalogue import license_name
    from cellscale.weights.races import KeptRaces, compiled_folder
    from cellscale.weights.resolve import resolve_model

    device = parse_device(choice.device)
    resolved = resolve_model(choice.path, choice.checksum, choice.name)
    kind = named_kind(choice.name)
    seeds = seed_model(resolved.path) if kind is None else None
    said = said_of(resolved.path, kind)
    terms = license_name(choice.name, resolved.sha256) or (said.license if said else "")
    interface = _interface(said, seeds=seeds is not None)
    if seeds is not None:
        _refuse_devices(choice, resolved.name)
        return Model(
            resolved.sha256,
            cache(lambda: SeedNetwork(seeds, threads=threads, name=resolved.name)),
            f"cpu {choice.precision}",
            interface,
            terms,
            resolved.name,
        )
    if choice.name == INSTANSEG:
        raise ModelError(f"{resolved.path} is no network as --model {INSTANSEG} names; give one of them only")
    if kind is not None:
        require_torch_mesmer(resolved.path, resolved.name)
    expected = candidates(device, choice.precision)[0].name if computes else device.name
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
                kind=kind,
                tile=interface.input_format.tile or TILE,
                cache=folder,
                races=KeptRaces(folder),
            )
        )

    # Of what computes on a processor, the kernels alone know bfloat16.
    is_native = device.engine == "native" or (expected == "cpu" and choice.precision == "bf16")
    if tried and (device.name not in (AUTO, "cpu") or is_native):
        load()
    if is_native:
        expected = "cpu:native"
    return Model(resolved.sha256, load, f"{expected} {choice.precision}", interface, terms, resolved.name)


def interface_of(choice: NetworkChoice) -> Interface:
    """Return how a network sees images; of one that a name tells, its weights need not be there.

    Raises
    ------
    ModelError
        The file is missing, or not the one that was asked for.
    ExtensionError
        The package that knows it describes it wrongly.
    """
    from cellscale.predict.input_format import said_of
    from cellscale.predict.instanseg import seed_model
    from cellscale.weights.resolve import resolve_model

    if choice.path is None or named_kind(choice.name) is not None:
        return LIKE_INSTANSEG if choice.name == INSTANSEG else LIKE_MESMER
    path = resolve_model(choice.path, choice.checksum, choice.name).path
    return _interface(said_of(path), seeds=seed_model(path) is not None)


def _interface(said: "Said | None", *, seeds: bool) -> Interface:
    """Return how a network sees images, as its package says or as the network has it that it is like."""
    usual = LIKE_INSTANSEG if seeds else LIKE_MESMER
    return usual if said is None else replace(usual, input_format=said.input_format)


def named_kind(name: str | None) -> "NetworkKind | None":
    """Return the kind of networks that goes by a name; None where the file alone says what it is."""
    from cellscale.predict.network_kinds import TORCH_MESMER

    return TORCH_MESMER if name == _SUCCESSOR else None


def _refuse_devices(choice: NetworkChoice, name: str) -> None:
    """Raise `RequestError` where a network that only processors compute is to run elsewhere."""
    if parse_device(choice.device).name not in (AUTO, "cpu") or parse_device(choice.device).engine == "native":
        raise RequestError(f"{name} runs on a processor with ONNX Runtime only; leave --device {choice.device} out")
    if choice.precision != "float32":
        raise RequestError(f"{name} runs in float32 only; leave --precision {choice.precision} out")


def _options_of_mesmers_input(request: Request) -> dict[str, bool]:
    """Return which options of how Mesmer's input is made are given."""
    found = request.preprocessing
    return {
        "--percentile": found.percentile != MESMER.percentile,
        "--clahe": found.clahe != MESMER.clahe,
        "--clahe_kernel": found.clahe_kernel != MESMER.clahe_kernel,
    }


def _refuse_options_of_mesmers_input(request: Request) -> None:
    """Raise `RequestError` where options of Mesmer's input are given to a network that has its input otherwise."""
    words = [name for name, is_given in _options_of_mesmers_input(request).items() if is_given]
    if words:
        raise RequestError(
            f"{', '.join(words)}: these options are for networks whose input is made as Mesmer's; the package that "
            "describes this one gives it another. Leave them out"
        )


def refuse_options_of_others(request: Request, model: Model) -> None:
    """Raise `RequestError` where options are given that do nothing with a network."""
    if model.kind == "seeds":
        refuse_options_of_maxima(request)
    elif model.input_format.normalisation is not None:
        _refuse_options_of_mesmers_input(request)


def options_of_maxima(request: Request) -> list[str]:
    """Return the options that are given for networks like Mesmer."""
    given = {
        "--rescale_channels": request.channels.rescale != "none",
        **_options_of_mesmers_input(request),
    }
    labels = [
        f"--{prefix}_{field.name}"
        for prefix, parameters, usual in (
            ("whole_cell", request.segmenting.whole_cell, WHOLE_CELL),
            ("nuclear", request.segmenting.nuclear, NUCLEUS),
        )
        for field in fields(Parameters)
        if getattr(parameters, field.name) != getattr(usual, field.name)
    ]
    return [*(name for name, is_given in given.items() if is_given), *labels]


def refuse_options_of_maxima(request: Request) -> None:
    """Raise `RequestError` where options of Mesmer are given to a network that sees and labels images otherwise."""
    words = options_of_maxima(request)
    if words:
        raise RequestError(
            f"{', '.join(words)}: these options are for networks like Mesmer, whose input and labels are made in "
            "another way; leave them out"
        )
