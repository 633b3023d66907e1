"""Mesmer's network on a processor: what comes before the body by ONNX Runtime, all else by kernels of our own."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from cellscale.errors import ModelError, RequestError
from cellscale.predict.heads import Head
from cellscale.predict.native.arithmetic import require_bfloat16
from cellscale.predict.native.body import STEM_SIDE, FoundBody, compute_features, find_body
from cellscale.predict.native.cutting import body_of
from cellscale.predict.native.factors import FactorKind, Factors, Floats
from cellscale.predict.native.graph import Graph
from cellscale.predict.native.heads import FEATURES_SHAPE, HeadWeights, as_kind, compute_head, head_weights
from cellscale.predict.native.matrices import lacking_for_matrices
from cellscale.predict.native.memory import Room
from cellscale.predict.native.version import KERNELS
from cellscale.predict.network import BATCH, Computation, require_finite
from cellscale.predict.onnx_file.joining import CHANNELS, INPUT
from cellscale.predict.sessions import SessionSettings, open_session
from cellscale.predict.tiles import TILE

__all__ = ["MOST_LANES", "NATIVE", "NativeNetwork", "mesmer_heads"]

NATIVE = Computation("cpu:native", "ONNX Runtime and kernels of cellscale", kernels=KERNELS)
"""Where these networks are computed."""

MOST_LANES = 16
"""Lanes that compute side by side at most, each of which takes some 40 MB."""

TOGETHER = 4
"""Tiles of a lane for which the deepest layers' weights are read once."""


def mesmer_heads(model: bytes, heads: tuple[Head, ...]) -> tuple[HeadWeights[Floats], ...]:
    """Return the weights of Mesmer's heads.

    Parameters
    ----------
    model
        Content of an ``.onnx`` file.
    heads
        Which maps.

    Raises
    ------
    ValueError
        The model is damaged or has another graph; the message says where it differs.
    """
    graph = Graph.of(model)
    return tuple(head_weights(graph, head) for head in heads)


def _mesmer_body(model: bytes, features: Sequence[str]) -> FoundBody | None:
    """Return a body like Mesmer's; None for another one, which is left to ONNX Runtime."""
    try:
        return find_body(Graph.of(model), features)
    except ValueError:
        return None


class NativeNetwork:
    """Mesmer's graph, with any weights.

    Tiles are computed side by side, one in each lane. A tile's maps depend on nothing but the tile.

    Parameters
    ----------
    model
        Content of an ``.onnx`` file.
    heads
        Its maps that are wanted.
    name
        What the network is called in records and messages.
    threads
        Threads that work on one batch; 0 takes all cores.
    batch_size
        Tiles that `predict` should be given at once; None takes as many as keep all lanes busy.
    computation
        Where it is computed, and whether in float32 or, where the processor can, in bf16: products of matrices
        round what they multiply, and sums and all else stay float32.

    Raises
    ------
    RequestError
        The model has another graph than Mesmer's, or the processor has no instructions for bfloat16.
    ModelError
        ONNX Runtime cannot load the model, or it has another input.
    """

    def __init__(
        self,
        model: bytes,
        *,
        heads: tuple[Head, ...],
        name: str,
        threads: int = 0,
        batch_size: int | None = None,
        computation: Computation = NATIVE,
    ) -> None:
        if numba.config.DISABLE_JIT:
            raise RequestError(
                "--device cpu:native needs compiled kernels, and NUMBA_DISABLE_JIT is set. --device cpu computes "
                "without them."
            )
        self.heads = heads
        self.name = name
        is_rounded = computation.precision == "bf16"
        lacking = lacking_for_matrices()
        kind: FactorKind = "floats" if lacking else "exact matrices"
        with_what = "" if lacking else "multiplied with AMX"
        if is_rounded:
            require_bfloat16()
            kind = "pairs" if lacking else "matrices"
            slow = "multiplied with AVX-512 BF16, which on Intel's processors is no faster than float32"
            with_what = with_what or f"{slow}; not with AMX, as {lacking}"
        reason = "; ".join(filter(None, (computation.reason, with_what)))
        computation = replace(computation, unit="" if lacking else "AMX", reason=reason)
        self.computation = computation
        try:
            found_heads = mesmer_heads(model, heads)
            features = [weights.features for weights in found_heads]
            found = _mesmer_body(model, features)
            self._shapes = (
                dict.fromkeys(features, FEATURES_SHAPE)
                if found is None
                else {found.stem: (found.channels, STEM_SIDE, STEM_SIDE)}
            )
            before = body_of(model, list(self._shapes))
        except ValueError as error:
            instead = "Leave --precision out" if is_rounded else "--device cpu takes ONNX Runtime"
            raise RequestError(
                f"--device cpu:native computes networks of Mesmer's graph alone, and {name} is none: {error}. "
                f"{instead} for it."
            ) from error
        self._weights: list[HeadWeights[Factors]] = [as_kind(weights, kind) for weights in found_heads]
        cores = threads or os.cpu_count() or 1
        self._lanes = min(cores, batch_size or MOST_LANES, MOST_LANES)
        self.batch_size = batch_size or max(BATCH, TOGETHER * self._lanes)
        # Kernels compute the body of a tile in one thread: more cores are kept busy by more batches at once.
        self._threads = cores // self._lanes if found is None else 1
        self.calls = 1 if found is None else cores // self._lanes
        self._rooms: list[Room] = []
        # Those of all calls: several at once, for several images, take no more cores and memory than a large batch.
        self._pool = ThreadPoolExecutor(self._lanes * self.calls, thread_name_prefix="cellscale-lane")
        self._helpers = ThreadPoolExecutor(self._lanes * min(self._threads, len(heads)))
        self._session = open_session(before, name, SessionSettings(threads=self._threads))
        inputs = {node.name: list(node.shape[1:]) for node in self._session.get_inputs()}
        if inputs != {INPUT: [TILE, TILE, CHANNELS]}:
            raise ModelError(
                f"{name} has inputs {inputs}; expected {INPUT} [{TILE}, {TILE}, {CHANNELS}] for each tile. Give a "
                "model that was converted from Mesmer."
            )
        # Last, as it takes as much memory as the model, of which ONNX Runtime needs copies.
        self._body = None if found is None else found.weights(kind)

    def predict(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the maps of tiles; see `cellscale.predict.network.Network`."""
        maps = np.empty((*batch.shape[:-1], len(self.heads)), np.float32)
        # A lane that has one thread is that thread.
        each: Any = map if self._threads == 1 else self._helpers.map
        together = min(-(-len(batch) // self._lanes), TOGETHER)

        def compute(first: int) -> None:
            part = batch[first : first + together]
            for index, features in enumerate(self._features(part), first):
                for _ in each(
                    _write_map, self._weights, features, [maps[index]] * len(features), range(len(features))
                ):
                    pass

        for _ in self._pool.map(compute, range(0, len(batch), together)):
            pass
        require_finite(maps, self.name)
        return maps

    def _features(self, tiles: NDArray[np.float32]) -> Iterator[list[Floats]]:
        """Yield for each tile what each head begins with, row by row: ``(32, 64, 32)`` flat."""
        if self._body is None:
            for tile in tiles:
                yield [np.ascontiguousarray(values.transpose(1, 0, 2)).reshape(-1) for values in self._before(tile)]
            return
        stems = np.stack([self._before(tile)[0] for tile in tiles])
        try:
            room = self._rooms.pop()
        except IndexError:
            room = Room()
        yield from compute_features(self._body, stems, room)
        self._rooms.append(room)

    def _before(self, tile: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """Return what ONNX Runtime computes of a tile: a map for each of the shapes."""
        found: list[NDArray[np.float32]] = self._session.run(list(self._shapes), {INPUT: tile[None]})
        for (name, shape), values in zip(self._shapes.items(), found, strict=True):
            if values.shape != (1, *shape):
                raise ModelError(
                    f"{self.name} gives its kernels {name} of shape {list(values.shape[1:])}; expected "
                    f"{list(shape)}. --device cpu:onnxruntime computes it."
                )
            require_finite(values, self.name)
        return [values[0] for values in found]


def _write_map(weights: HeadWeights[Factors], features: Floats, maps: Floats, index: int) -> None:
    """Compute one head of one tile into its map."""
    compute_head(
        features,
        weights.first,
        weights.first_bias,
        weights.second,
        weights.third,
        weights.third_bias,
        weights.last,
        weights.last_bias,
        weights.is_class,
        maps,
        index,
    )
