"""The network that a run's machines fetch: named by the user or the environment, or put into the bucket from here."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from cellscale.engines.batch.environment import Environment
from cellscale.errors import RequestError
from cellscale.pipeline.request import Request
from cellscale.storage.atomic import atomic_write
from cellscale.storage.uri import exists, is_uri, join
from cellscale.weights.catalogue import MESMER
from cellscale.weights.resolve import installed_model
from cellscale.weights.tensorflow import refuse_tensorflow

__all__ = ["Weights", "choose_weights", "upload_weights"]

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

    The network is that of ``--model_path``, else of the environment config, else the Mesmer weights installed here.
    What is only here is put into the dataset's bucket, under a name that is its hash: containers hold no weights,
    because the licence does not allow to pass them on.

    Raises
    ------
    ModelError
        It is a TensorFlow model, or the Mesmer weights are not installed here.
    RequestError
        ``--model_path`` names a file of this machine.
    """
    if not request.segment:
        return Weights(None)
    uri, checksum = request.model_path, request.model_hash
    if uri is None and environment.segment_model_path:
        uri, checksum = environment.segment_model_path, environment.segment_model_hash or None
        if _ORIGINAL_MESMER in uri:  # the network that we have as ONNX
            uri, checksum = None, None
    if uri is None:
        model = installed_model(MESMER)
        place = join(request.paths.jobs, "models", f"{model.name}-{model.sha256[:12]}.onnx")
        return Weights(str(place), model.sha256, model.path)
    refuse_tensorflow(uri)
    if not is_uri(uri):
        raise RequestError(f"--model_path is {uri}; machines in the cloud need a URI, as in gs://bucket/network.onnx")
    return Weights(uri, checksum)


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
