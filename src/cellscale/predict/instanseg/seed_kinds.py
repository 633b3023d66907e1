"""Networks like InstanSeg, whatever they call their inputs and outputs."""

from contextlib import suppress
from pathlib import Path

import numpy as np

from cellscale.errors import CellscaleError
from cellscale.extensions import extensions
from cellscale.predict.heads import Seeds
from cellscale.predict.instanseg.instanseg_graph import CLASSIFIER, IMAGE, MAPS, MARGINS
from cellscale.predict.instanseg.seed_network import CLASSIFIER_WEIGHTS, is_seed_network
from cellscale.predict.network_kinds import NetworkKind
from cellscale.predict.onnx_file.renaming import renamed
from cellscale.predict.onnx_file.signature import Signature, signature_of

__all__ = ["problem_of_seeds", "seed_model", "with_seeds"]


def seed_model(model: Path) -> Path | bytes | None:
    """Return a network that makes seeds, with InstanSeg's names for its inputs and output.

    Parameters
    ----------
    model
        An ``.onnx`` file.

    Returns
    -------
    The file where it has those names, else its content with them; None where it is a network of another kind, or
    cannot be read.

    Raises
    ------
    ExtensionError
        The package that knows it describes it wrongly.
    """
    if is_seed_network(model):
        return model
    try:
        signature = signature_of(model)
    except (OSError, ValueError):
        return None
    for found in extensions("networks").values():
        if found.is_own:
            continue
        seeds = None
        with suppress(CellscaleError):  # a broken package is told of where nothing else knows the network
            kind: NetworkKind = found.load()
            with found.blamed():
                seeds = kind.heads(signature)
        if isinstance(seeds, Seeds):
            if problem := problem_of_seeds(seeds, signature):
                raise found.failure(problem)
            return with_seeds(model.read_bytes(), seeds)
    return None


def problem_of_seeds(seeds: Seeds, signature: Signature) -> str | None:
    """Return what is wrong with what a kind says of a network; None for nothing."""
    inputs, outputs = set(signature.inputs), set(signature.outputs)
    if inputs != {seeds.image, seeds.margins} or seeds.maps not in outputs:
        return (
            f"it names the inputs {seeds.image}, {seeds.margins} and the output {seeds.maps}; the network has "
            f"{', '.join(sorted(inputs))} and {', '.join(sorted(outputs))}"
        )
    weights = np.asarray(seeds.classifier, np.float32)
    if weights.shape != (CLASSIFIER_WEIGHTS,) or not np.isfinite(weights).all():
        found = f"{weights.shape[0]} numbers" if weights.ndim == 1 else f"the shape {weights.shape}"
        return f"the classifier has {found}; {CLASSIFIER_WEIGHTS} finite numbers expected"
    return None


def with_seeds(content: bytes, seeds: Seeds) -> bytes:
    """Return a network with InstanSeg's names for its inputs and output, and its classifier beside the graph."""
    names = {seeds.image: IMAGE, seeds.margins: MARGINS, seeds.maps: MAPS}
    weights = np.asarray(seeds.classifier, "<f4")
    return renamed(content, names, {CLASSIFIER: weights.tobytes().hex()})
