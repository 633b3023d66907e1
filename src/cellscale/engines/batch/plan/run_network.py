"""Where the machines of a run find the network: where the user or the environment says, or uploaded to the bucket."""

import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from cellscale.engines.batch.plan.environment import Environment
from cellscale.engines.preflight import interface_of, options_of_maxima, refuse_options_of_maxima
from cellscale.errors import ModelError, RequestError, StorageError
from cellscale.pipeline.model import Interface
from cellscale.pipeline.request import NetworkChoice, Request
from cellscale.storage.atomic import atomic_write
from cellscale.storage.uri import exists, is_uri, join
from cellscale.weights.catalogue import MESMER
from cellscale.weights.checksum import parse_checksum
from cellscale.weights.other_formats import refuse_other_formats
from cellscale.weights.resolve import resolve_model

__all__ = ["Weights", "choose_weights", "costed_network", "refuse_other_options", "upload_weights"]

_ORIGINAL_MESMER = "MultiplexSegmentation"
"""How the archive with Mesmer's TensorFlow network is called, which the original system's configs name."""


@dataclass(frozen=True, slots=True)
class Weights:
    """A network's file as the machines find it."""

    uri: str | None
    """None where nothing is segmented."""
    checksum: str | None = None
    """SHA-256 or MD5 that the file must have; None: not checked."""
    source: Path | None = None
    """File of this machine that is to be put there first."""


def choose_weights(request: Request, environment: Environment) -> Weights:
    """Decide which network the machines run, and where they get it.

    The network is that of ``--model_path`` or ``--model``, else of the environment config, else the Mesmer weights
    installed here.
    What is only here is put into the dataset's bucket, under a name that is its hash: containers hold no weights,
    because the licence does not allow to pass them on. Its hash is that of ``--model_hash``, else of the config.

    Raises
    ------
    ModelError
        It is a TensorFlow model, is not where it should be, or the hash is none; or the Mesmer weights are not
        installed here, or have another hash.
    RequestError
        ``--model_path`` names a file of this machine.
    """
    if not request.segment:
        return Weights(None)
    uri, checksum = request.network.path, request.network.checksum
    if uri is None and request.network.name is None:
        uri, known = environment.segment_model_path or None, environment.segment_model_hash
        if uri is not None and _ORIGINAL_MESMER in uri:  # the network that we have as ONNX
            uri, known = None, ""
        checksum = checksum or known or None
    if uri is None:
        model = resolve_model(None, checksum, request.network.name)
        place = join(request.paths.jobs, "models", f"{model.name}-{model.sha256[:12]}.onnx")
        return Weights(str(place), model.sha256, model.path)
    refuse_other_formats(uri)
    if checksum is not None:
        parse_checksum(checksum)
    if not is_uri(uri):
        raise RequestError(f"--model_path is {uri}; machines in the cloud need a URI, as in gs://bucket/network.onnx")
    _require(uri)
    return Weights(uri, checksum)


def _require(uri: str) -> None:
    """Check that a network is where it should be, before machines are rented that would not find it."""
    with suppress(StorageError):  # this account may not be allowed to look, whereas that of the machines is
        if not exists(uri):
            raise ModelError(
                f"there is no network at {uri}; check --model_path, or segment_model_path of the environment config"
            )


def refuse_other_options(request: Request, weights: Weights) -> None:
    """Refuse options of Mesmer for a network that sees and labels images otherwise, before machines are rented.

    Raises
    ------
    RequestError
        There are such options, and the network is of that kind.
    """
    asked = [one for one in (request, *(own.request for own in request.own)) if options_of_maxima(one)]
    if not asked or weights.uri is None:
        return
    from cellscale.predict.instanseg import seed_model  # most submissions need not look into the network

    path = weights.source
    with suppress(StorageError, ModelError):  # only the machines may be allowed to read it; they refuse it then
        path = path or resolve_model(weights.uri, weights.checksum).path
    if path is not None and seed_model(path) is not None:
        refuse_options_of_maxima(asked[0])


def costed_network(request: Request, weights: Weights) -> tuple[str, Interface]:
    """Return what records call a run's network, and how it sees images.

    Most submissions need not look into a file in the bucket: one that no name tells of is taken to be like Mesmer.
    """
    name = request.network.name or MESMER.name
    if weights.uri is not None and weights.source is None:
        name = PurePosixPath(weights.uri).stem
    return name, interface_of(NetworkChoice(name=request.network.name))


def upload_weights(weights: Weights) -> None:
    """Put the network where the machines find it, unless it is there already.

    Raises
    ------
    StorageError
        It cannot be written.
    """
    if weights.uri is None or weights.source is None or exists(weights.uri):
        return
    with weights.source.open("rb") as source, atomic_write(weights.uri) as target:
        shutil.copyfileobj(source, target, 2**20)
