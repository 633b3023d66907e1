"""A network's file: read, cut down to what is wanted, and checked to be one like Mesmer."""

from pathlib import Path
from typing import Any

from cellscale.errors import ModelError
from cellscale.predict.heads import Head
from cellscale.predict.onnx_file.joining import CHANNELS, INPUT, MAPS, joined
from cellscale.predict.onnx_file.pruning import pruned
from cellscale.predict.tiles import TILE

__all__ = ["model_bytes", "model_content", "model_name", "require_mesmer_like"]


def model_name(model: Path | str | bytes) -> str:
    """Return what a network is called that has no name of its own."""
    return "network" if isinstance(model, bytes) else Path(model).stem


def model_content(model: Path | str | bytes, heads: tuple[Head, ...]) -> bytes:
    """Return a model that computes only what the heads need, with all their maps in one more output.

    Raises
    ------
    ModelError
        The file cannot be read.
    """
    return joined(pruned(model_bytes(model), list(dict.fromkeys(head.output for head in heads))), heads)


def model_bytes(model: Path | str | bytes) -> bytes:
    """Return the content of a model's file.

    Raises
    ------
    ModelError
        The file cannot be read.
    """
    if isinstance(model, bytes):
        return model
    try:
        return Path(model).read_bytes()
    except OSError as error:
        raise ModelError(f"{model} cannot be read: {error}. Check --model_path.") from error


def require_mesmer_like(session: Any, heads: tuple[Head, ...], name: str, tile: int = TILE) -> None:
    """Raise `ModelError` unless a session's model has the input and the outputs that ``heads`` need."""
    inputs = {node.name: (tuple(node.shape), node.type) for node in session.get_inputs()}
    outputs = {node.name: (tuple(node.shape), node.type) for node in session.get_outputs() if node.name != MAPS}
    fits = set(inputs) == {INPUT} and _fits(*inputs[INPUT], CHANNELS, tile, exact=True)
    fits = fits and all(
        head.output in outputs and _fits(*outputs[head.output], head.index + 1, tile, exact=False) for head in heads
    )
    if not fits:
        wanted = ", ".join(dict.fromkeys(head.output for head in heads))
        raise ModelError(
            f"{name} has inputs {_listed(inputs)} and outputs {_listed(outputs)}; expected the input {INPUT} "
            f"[n, {tile}, {tile}, {CHANNELS}] and the outputs {wanted} [n, {tile}, {tile}, channels], all float32. "
            "Give a model that was converted from Mesmer."
        )


def _fits(shape: tuple[object, ...], kind: str, channels: int, tile: int, *, exact: bool) -> bool:
    """Tell whether a tensor is float32 ``(any, tile, tile, channels)``, or more channels unless ``exact``."""
    if kind != "tensor(float)" or len(shape) != 4 or isinstance(shape[0], int) or shape[1:3] != (tile, tile):
        return False
    found = shape[3]
    return isinstance(found, int) and (found == channels if exact else found >= channels)


def _listed(tensors: dict[str, tuple[tuple[object, ...], str]]) -> str:
    """Return the tensors with their shapes and types, for a message."""
    return ", ".join(f"{name} {list(shape)} {kind}" for name, (shape, kind) in tensors.items())
