"""Which kind of network a file holds: Mesmer's, its successor's, or one that another package describes."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from cellscale.errors import CellscaleError, ModelError
from cellscale.extensions import Extension, extensions
from cellscale.predict.heads import MESMER_HEADS, Compartment, Head, Seeds
from cellscale.predict.input_format import MESMER_INPUT, InputFormat, format_said
from cellscale.predict.onnx_file.adapting import adapted
from cellscale.predict.onnx_file.joining import CHANNELS, INPUT
from cellscale.predict.onnx_file.model_file import model_bytes
from cellscale.predict.onnx_file.signature import Shape, Signature, signature_of
from cellscale.predict.tiles import TILE

__all__ = [
    "MESMER",
    "TORCH_MESMER",
    "NetworkKind",
    "SaysInput",
    "heads_in",
    "problem_of",
    "require_torch_mesmer",
    "with_heads",
    "with_mesmer_interface",
]


class NetworkKind(Protocol):
    """Knows one kind of network by its inputs and outputs, and which of its outputs are which maps.

    An entry point of the group ``cellscale.networks`` names it. The network takes float32 tiles ``(n, 256, 256, 2)``:
    nucleus, then membrane, in 0..1; its outputs are float32 ``(n, 256, 256, channels)``. Either may have its channels
    before the rows, as PyTorch has them. For each compartment that it finds there is a map of maxima, with a peak at
    the centre of every object, and one of the interior, high inside. A network that takes something else says so as
    `SaysInput`.
    """

    def heads(self, signature: Signature) -> "tuple[Head, ...] | Seeds | None":
        """Return the maps of a network; `Seeds` of one like InstanSeg, and None where it is of another kind.

        Parameters
        ----------
        signature
            Names and shapes of the network's inputs and outputs.
        """


class SaysInput(NetworkKind, Protocol):
    """A kind of network that is to be given something else than Mesmer, or InstanSeg."""

    def input_format(self, signature: Signature) -> InputFormat:
        """Return the pixel size, channels, values and tiles of a network whose maps are known.

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


class _TorchMesmer:
    """Mesmer's successor in PyTorch, which has all maps in one output.

    Its own program takes the first four for the nucleus's, its description for the whole cell's; here they are taken
    as by the program, and a picture of the maps shows whether that is right.
    """

    def heads(self, signature: Signature) -> tuple[Head, ...] | None:
        """Return the maps of a network with one input of two channels and one output of eight."""
        inputs, outputs = tuple(signature.inputs.values()), tuple(signature.outputs)
        if len(inputs) != 1 or len(outputs) != 1 or inputs[0][1:] != _FIRST[1:]:
            return None
        (output,) = outputs
        shape = signature.outputs[output]
        # The sizes of an output are often left open; one that is told has to be right.
        if shape and not _may_be((None, *shape[1:]), (None, 8, TILE, TILE)):
            return None
        return (
            Head("whole-cell", "maxima", output, 4, 1),
            Head("whole-cell", "interior", output, 6, 1),
            Head("nuclear", "maxima", output, 0, 1),
            Head("nuclear", "interior", output, 2, 1),
        )


TORCH_MESMER: NetworkKind = _TorchMesmer()


def require_torch_mesmer(model: Path, name: str) -> None:
    """Raise `ModelError` where a file is no network with the input and output of Mesmer's successor."""
    wanted = f"one input [n, {CHANNELS}, {TILE}, {TILE}] and one output [n, 8, {TILE}, {TILE}]"
    advice = f"torch-mesmer has {wanted}: export it as docs/networks.md shows"
    try:
        signature = signature_of(model)
    except (OSError, ValueError) as error:
        raise ModelError(f"{name} is not an ONNX file that can be read ({error}); {advice}") from error
    if TORCH_MESMER.heads(signature) is None:
        raise ModelError(
            f"{name} has the inputs {_listed(signature.inputs)} and the outputs {_listed(signature.outputs)}; "
            f"{advice}, or leave --model torch-mesmer out if it is another network"
        )
    (shape,) = signature.inputs.values()
    if shape[0] is not None:
        raise ModelError(
            f"{name} takes exactly {shape[0]} tiles at once; expected any number. Export it again with an open first "
            "axis, as docs/networks.md shows"
        )


def _listed(tensors: Mapping[str, Shape]) -> str:
    """Return tensors with their shapes, for a message; ``n`` where a size is open."""
    return (
        ", ".join(
            f"{name} [{', '.join('n' if size is None else str(size) for size in shape)}]"
            for name, shape in tensors.items()
        )
        or "none"
    )


def with_mesmer_interface(
    model: Path | str | bytes, compartments: tuple[Compartment, ...], name: str, kind: NetworkKind | None = None
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
    kind
        Which kind it is; None: known by its file.

    Raises
    ------
    ModelError
        The network does not find the compartments, or the package that describes it is broken.
    """
    try:
        signature = signature_of(model if isinstance(model, bytes) else Path(model))
    except (OSError, ValueError):
        return model
    if kind is not None:
        known = kind.heads(signature)
        if not isinstance(known, tuple):
            return model
        return with_heads(model_bytes(model), signature, known, compartments, name)
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
            given = format_said(found, signature, seeds=False)
            told = f"{name}, known to {found},"
            return with_heads(model_bytes(model), signature, heads, compartments, told, given)
    if broken:
        raise ModelError(f"{name} is a network of no kind that is known here: {'; '.join(broken)}")
    if TORCH_MESMER.heads(signature):
        raise ModelError(
            f"{name} has the input and output of torch-mesmer, whose labels are made with other values; give "
            "--model torch-mesmer beside --model_path"
        )
    return model


def heads_in(signature: Signature, kind: NetworkKind | None = None) -> tuple[Head, ...]:
    """Return the maps of a network; none where it is of no known kind.

    Parameters
    ----------
    signature
        Its inputs and outputs.
    kind
        Which kind it is; None: whichever knows it.
    """
    if kind is not None:
        own = kind.heads(signature)
        return own if isinstance(own, tuple) else ()
    for found in extensions("networks").values():
        with suppress(CellscaleError):
            if heads := _heads(found, signature):
                return heads
    return ()


def _heads(found: Extension, signature: Signature) -> tuple[Head, ...] | None:
    """Return what a kind says of the maps of a network; None for one of seeds."""
    kind: NetworkKind = found.load()
    with found.blamed():
        heads = kind.heads(signature)
    if isinstance(heads, Seeds):
        return None
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
        if head.axis not in (1, 3):
            return f"the channels of the output {head.output!r} lie along axis {head.axis}; 3 or 1 expected"
        size = shape[head.axis] if len(shape) == 4 else 0
        if head.index < 0 or (size is not None and head.index >= size):
            return f"the output {head.output!r} has the shape {shape} and no channel {head.index}"
    return None


def with_heads(
    content: bytes,
    signature: Signature,
    heads: tuple[Head, ...],
    compartments: tuple[Compartment, ...],
    told: str,
    input_format: InputFormat = MESMER_INPUT,
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
    input_format
        What it is to be given.

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
    tile, count = input_format.tile or TILE, len(input_format.channels)
    last, first = (None, tile, tile, count), (None, count, tile, tile)
    shapes = list(signature.inputs.values())
    if len(shapes) != 1 or not (_may_be(shapes[0], last) or _may_be(shapes[0], first)):
        raise ModelError(
            f"the network {told} has the inputs {_listed(signature.inputs)}; one of [n, {tile}, {tile}, {count}] "
            f"or [n, {count}, {tile}, {tile}] expected, n left open"
        )
    (given,) = signature.inputs
    return adapted(
        content,
        given,
        [head for head in heads if head.compartment in compartments],
        channels_first=not _may_be(shapes[0], last),
        channels=[_ROLES.index(role) for role in input_format.channels],
        tile=tile,
    )


_FIRST = (None, CHANNELS, TILE, TILE)
"""Shape of Mesmer's tiles where channels come before rows and columns."""

_ROLES = MESMER_INPUT.channels
"""What the channels of Mesmer's tiles show, in order."""


def _may_be(shape: Shape, wanted: Shape) -> bool:
    """Tell whether a tensor can have some shape, as far as its sizes are told; any number of tiles has to be open."""
    return len(shape) == 4 and all(size in (None, side) for size, side in zip(shape, wanted, strict=True))
