"""Which kind of network a file holds: Mesmer's, or one that another package describes."""

from pathlib import Path
from typing import Protocol

from cellscale.errors import CellscaleError, ModelError
from cellscale.extensions import Extension, extensions
from cellscale.predict.heads import MESMER_HEADS, Compartment, Head
from cellscale.predict.onnx_file.adapting import adapted
from cellscale.predict.onnx_file.joining import CHANNELS, INPUT
from cellscale.predict.onnx_file.signature import Shape, Signature, signature_of
from cellscale.predict.tiles import TILE

__all__ = ["MESMER", "NetworkKind", "problem_of", "with_heads", "with_mesmer_interface"]


class NetworkKind(Protocol):
    """Knows one kind of network by its inputs and outputs, and which of its outputs are which maps.

    An entry point of the group ``cellscale.networks`` names it. The network takes float32 tiles ``(n, 256, 256, 2)``:
    nucleus, then membrane, in 0..1; its outputs are float32 ``(n, 256, 256, channels)``. For each compartment that it
    finds there is a map of maxima, with a peak at the centre of every object, and one of the interior, high inside.
    """

    def heads(self, signature: Signature) -> tuple[Head, ...] | None:
        """Return the maps of a network; None where it is one of another kind.

        Parameters
        ----------
        signature
            Names and shapes of the network's inputs and outputs.
        """


class _Mesmer:
    """Mesmer, and what was trained with its input and outputs."""

    def heads(self, signature: Signature) -> tuple[Head, ...] | None:
        """Return Mesmer's maps where the network has its input and any of its outputs."""
        known = {head.output for head in MESMER_HEADS}
        return MESMER_HEADS if INPUT in signature.inputs and known & set(signature.outputs) else None


MESMER: NetworkKind = _Mesmer()


def with_mesmer_interface(
    model: Path | str | bytes, compartments: tuple[Compartment, ...], name: str
) -> Path | str | bytes:
    """Return a network as it is where it is like Mesmer, or else with Mesmer's names for its input and outputs.

    Parameters
    ----------
    model
        The ``.onnx`` file, or its content. One that cannot be read, is damaged or of no known kind is returned as it
        is, for others to say so.
    compartments
        What is to be found.
    name
        What the network is called in messages.

    Raises
    ------
    ModelError
        The network does not find the compartments, or the package that describes it is broken.
    """
    try:
        content = model if isinstance(model, bytes) else Path(model).read_bytes()
        signature = signature_of(content)
    except (OSError, ValueError):
        return model
    broken = []
    for found in extensions("networks").values():
        try:
            heads = _heads(found, signature)
        except CellscaleError as error:
            broken.append(str(error))
            continue
        if heads is not None:
            if found.is_own:
                return model
            return with_heads(content, signature, heads, compartments, f"{name}, known to {found},")
    if broken:
        raise ModelError(f"{name} is a network of no kind that is known here: {'; '.join(broken)}")
    return model


def _heads(found: Extension, signature: Signature) -> tuple[Head, ...] | None:
    """Return what a kind says of a network."""
    kind: NetworkKind = found.load()
    with found.blamed():
        heads = kind.heads(signature)
    # What is missing of Mesmer's outputs is told later, where only those count that are asked for.
    problem = None if heads is None or found.is_own else problem_of(heads, signature)
    if problem is not None:
        raise found.failure(problem)
    return heads


def problem_of(heads: object, signature: Signature) -> str | None:
    """Return what is wrong with the heads that a kind names; None for nothing."""
    if not isinstance(heads, tuple) or not heads or not all(isinstance(head, Head) for head in heads):
        return f"heads are {heads!r}; a tuple of Head expected"
    pairs = [(head.compartment, head.kind) for head in heads]
    known = {(head.compartment, head.kind) for head in MESMER_HEADS}
    whole = {(compartment, kind) for compartment, _ in pairs for kind in ("maxima", "interior")}
    if len(pairs) != len(whole) or set(pairs) != whole or not whole <= known:
        return f"heads are of {pairs}; one of maxima and one of interior for each compartment expected"
    for head in heads:
        shape = signature.outputs.get(head.output)
        if shape is None:
            return f"there is no output {head.output!r}; the network has {', '.join(signature.outputs)}"
        if len(shape) != 4 or head.index < 0 or (shape[3] is not None and head.index >= shape[3]):
            return f"the output {head.output!r} has the shape {shape} and no channel {head.index}"
    return None


def with_heads(
    content: bytes,
    signature: Signature,
    heads: tuple[Head, ...],
    compartments: tuple[Compartment, ...],
    told: str,
) -> bytes:
    """Return a network whose maps are known with Mesmer's names for its input and outputs.

    Parameters
    ----------
    content
        Content of an ``.onnx`` file.
    signature
        Its inputs and outputs.
    heads
        Which of its outputs make which maps.
    compartments
        What is to be found.
    told
        What the network is called in messages.

    Raises
    ------
    ModelError
        The network does not find the compartments, or takes no tiles.
    """
    there = sorted({head.compartment for head in heads})
    if not set(compartments) <= set(there):
        raise ModelError(
            f"the network {told} finds only {' and '.join(there)}; {' and '.join(compartments)} asked for: "
            f"give --compartment {there[0]}"
        )
    if len(signature.inputs) != 1 or not _takes_tiles(*signature.inputs.values()):
        found = ", ".join(f"{one} {list(shape)}" for one, shape in signature.inputs.items())
        raise ModelError(
            f"the network {told} has the inputs {found}; one of [n, {TILE}, {TILE}, {CHANNELS}] expected"
        )
    (given,) = signature.inputs
    return adapted(content, given, [head for head in heads if head.compartment in compartments])


def _takes_tiles(shape: Shape) -> bool:
    wanted = (None, TILE, TILE, CHANNELS)
    return len(shape) == 4 and all(size in (None, side) for size, side in zip(shape, wanted, strict=True))
