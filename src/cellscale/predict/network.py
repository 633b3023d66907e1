"""The network behind one small interface, and its implementation for ONNX files."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as onnx_errors

from cellscale.errors import ImageError, ModelError
from cellscale.predict.heads import COMPARTMENTS, MESMER_HEADS, Compartment, Head, heads_of
from cellscale.predict.pruning import pruned
from cellscale.predict.tiles import TILE

__all__ = ["BATCH", "Network", "OnnxNetwork"]

INPUT = "input_0"
"""Name of the network's input."""

CHANNELS = 2
"""Nucleus, then membrane."""

CPU = "CPUExecutionProvider"
"""ONNX Runtime's own provider, always there."""

BATCH = 16
"""Tiles that a network is given at once, where the caller does not say."""

MOST_LANES = 8
"""Tiles that a CPU computes side by side at most, each of which takes some 70 MB."""

_LOAD_ERRORS = (
    onnx_errors.Fail,
    onnx_errors.InvalidArgument,
    onnx_errors.InvalidGraph,
    onnx_errors.InvalidProtobuf,
    onnx_errors.NoModel,
    onnx_errors.NoSuchFile,
    onnx_errors.NotImplemented,
    onnx_errors.RuntimeException,
)


class Network(Protocol):
    """Computes maps of tiles; safe to call from several threads."""

    @property
    def name(self) -> str:
        """What the network is called in records and messages."""

    @property
    def heads(self) -> tuple[Head, ...]:
        """The maps that `predict` returns, in order."""

    @property
    def batch_size(self) -> int:
        """Number of tiles that `predict` should be given at once."""

    def predict(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the maps of tiles.

        Parameters
        ----------
        batch
            float32 ``(n, 256, 256, 2)``: nucleus, then membrane, in 0..1.

        Returns
        -------
        float32 ``(n, 256, 256, len(heads))``; a tile's maps do not depend on the others in its batch.

        Raises
        ------
        ImageError
            The network answered with NaN or infinity.
        """


class OnnxNetwork:
    """An ONNX model with Mesmer's input and outputs, run by ONNX Runtime.

    A CPU computes several tiles side by side, each with its share of the threads: threads that share one tile wait
    for each other, and a batch as one tensor falls out of the caches. Other devices get the whole batch at once.
    """

    def __init__(
        self,
        model: Path | str | bytes,
        *,
        compartments: tuple[Compartment, ...] = COMPARTMENTS,
        threads: int = 0,
        batch_size: int = BATCH,
        providers: Sequence[str] = (CPU,),
        name: str | None = None,
    ) -> None:
        """Load the model.

        Parameters
        ----------
        model
            Path of the ``.onnx`` file, or its content.
        compartments
            Which compartments' maps to compute; what only the others need is cut off.
        threads
            Threads that work on one batch; 0 takes all cores.
        batch_size
            Tiles that `predict` should be given at once.
        providers
            ONNX Runtime's execution providers, in order of preference.
        name
            What the network is called; its file's name if left out.

        Raises
        ------
        ModelError
            The file is missing, damaged, or not a network of this kind, or a provider is not installed.
        """
        self.heads = heads_of(compartments)
        self.batch_size = batch_size
        self.name = name or ("network" if isinstance(model, bytes) else Path(model).stem)
        self._outputs = list(dict.fromkeys(head.output for head in self.heads))
        cores = threads or os.cpu_count() or 1
        on_cpu = tuple(providers) == (CPU,)
        self._lanes = min(cores, batch_size, MOST_LANES) if on_cpu else 1
        self._step = 1 if on_cpu else batch_size
        content = _reduced(model, self._outputs) if self.heads != MESMER_HEADS else model
        self._session = _open(content, self.name, cores // self._lanes, tuple(providers))
        _require_mesmer_like(self._session, self.heads, self.name)

    def predict(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the maps of tiles; see `Network`."""
        parts = [batch[start : start + self._step] for start in range(0, len(batch), self._step)]
        with ThreadPoolExecutor(self._lanes) as lanes:
            maps = np.concatenate(list(lanes.map(self._maps, parts)))
        if not np.isfinite(maps).all():
            raise ImageError(
                f"the network {self.name} answered with values that are not finite; expected finite maps. "
                "Check the weights with `cellscale models verify`, and the image for extreme values."
            )
        return maps

    def _maps(self, tiles: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the maps of tiles that one session run computes."""
        outputs = self._session.run(self._outputs, {INPUT: tiles})
        found = dict(zip(self._outputs, outputs, strict=True))
        return np.stack([found[head.output][..., head.index] for head in self.heads], axis=-1)


def _reduced(model: Path | str | bytes, outputs: list[str]) -> bytes:
    """Return the model's content with only what ``outputs`` need."""
    if isinstance(model, bytes):
        return pruned(model, outputs)
    try:
        return pruned(Path(model).read_bytes(), outputs)
    except OSError as error:
        raise ModelError(f"{model} cannot be read: {error}. Check --model_path.") from error


def _open(
    model: Path | str | bytes, name: str, threads: int, providers: tuple[str, ...]
) -> onnxruntime.InferenceSession:
    """Return a session for the model."""
    missing = [provider for provider in providers if provider not in onnxruntime.get_available_providers()]
    if missing:
        raise ModelError(
            f"the execution provider {missing[0]} is not installed; found "
            f"{', '.join(onnxruntime.get_available_providers())}. Install the ONNX Runtime package that has it."
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    try:
        source = model if isinstance(model, bytes) else str(model)
        return onnxruntime.InferenceSession(source, options, providers=list(providers))
    except _LOAD_ERRORS as error:
        raise ModelError(
            f"{name} cannot be loaded as an ONNX model: {error}. Expected a whole .onnx file; fetch it again with "
            "`cellscale models fetch mesmer` or check --model_path."
        ) from error


def _require_mesmer_like(session: onnxruntime.InferenceSession, heads: tuple[Head, ...], name: str) -> None:
    """Raise `ModelError` unless the model has the input and the outputs that ``heads`` need."""
    inputs = {node.name: (tuple(node.shape), node.type) for node in session.get_inputs()}
    outputs = {node.name: (tuple(node.shape), node.type) for node in session.get_outputs()}
    fits = set(inputs) == {INPUT} and _fits(*inputs[INPUT], CHANNELS, exact=True)
    fits = fits and all(
        head.output in outputs and _fits(*outputs[head.output], head.index + 1, exact=False) for head in heads
    )
    if not fits:
        wanted = ", ".join(dict.fromkeys(head.output for head in heads))
        raise ModelError(
            f"{name} has inputs {_listed(inputs)} and outputs {_listed(outputs)}; expected the input {INPUT} "
            f"[n, {TILE}, {TILE}, {CHANNELS}] and the outputs {wanted} [n, {TILE}, {TILE}, channels], all float32. "
            "Give a model that was converted from Mesmer."
        )


def _fits(shape: tuple[object, ...], kind: str, channels: int, *, exact: bool) -> bool:
    """Tell whether a tensor is float32 ``(any, 256, 256, channels)``, or more channels unless ``exact``."""
    if kind != "tensor(float)" or len(shape) != 4 or isinstance(shape[0], int) or shape[1:3] != (TILE, TILE):
        return False
    found = shape[3]
    return isinstance(found, int) and (found == channels if exact else found >= channels)


def _listed(tensors: dict[str, tuple[tuple[object, ...], str]]) -> str:
    """Return the tensors with their shapes and types, for a message."""
    return ", ".join(f"{name} {list(shape)} {kind}" for name, (shape, kind) in tensors.items())
