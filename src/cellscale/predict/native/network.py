"""Mesmer's network on a processor: the body by ONNX Runtime, the heads by kernels of our own."""

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellscale.errors import ModelError, RequestError
from cellscale.predict.heads import Head
from cellscale.predict.native.body import body_of
from cellscale.predict.native.graph import Graph
from cellscale.predict.native.head import FEATURES_SHAPE, compute_head
from cellscale.predict.native.products import Floats
from cellscale.predict.native.weights import HeadWeights, head_weights
from cellscale.predict.network import BATCH, Computation, require_finite
from cellscale.predict.onnx_file.joining import CHANNELS, INPUT
from cellscale.predict.sessions import SessionSettings, open_session
from cellscale.predict.tiles import TILE

__all__ = ["MOST_LANES", "NATIVE", "NativeNetwork", "mesmer_heads"]

NATIVE = Computation("cpu:native", "ONNX Runtime and kernels of cellscale")
"""Where these networks are computed."""

MOST_LANES = 16
"""Tiles that are computed side by side at most, each of which takes some 30 MB."""


def mesmer_heads(model: bytes, heads: tuple[Head, ...]) -> tuple[HeadWeights, ...]:
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
        Tiles that `predict` should be given at once.
    computation
        Where it is computed.

    Raises
    ------
    RequestError
        The model has another graph than Mesmer's.
    ModelError
        ONNX Runtime cannot load the model, or it has another input.
    """

    calls = 1

    def __init__(
        self,
        model: bytes,
        *,
        heads: tuple[Head, ...],
        name: str,
        threads: int = 0,
        batch_size: int = BATCH,
        computation: Computation = NATIVE,
    ) -> None:
        self.heads = heads
        self.name = name
        self.batch_size = batch_size
        self.computation = computation
        try:
            self._weights = mesmer_heads(model, heads)
            body = body_of(model, [weights.features for weights in self._weights])
        except ValueError as error:
            raise RequestError(
                f"--device cpu:native computes networks of Mesmer's graph alone, and {name} is none: {error}. "
                "--device cpu takes ONNX Runtime for it."
            ) from error
        cores = threads or os.cpu_count() or 1
        self._lanes = min(cores, batch_size, MOST_LANES)
        self._threads = cores // self._lanes
        self._session = open_session(body, name, SessionSettings(threads=self._threads))
        inputs = {node.name: list(node.shape[1:]) for node in self._session.get_inputs()}
        if inputs != {INPUT: [TILE, TILE, CHANNELS]}:
            raise ModelError(
                f"{name} has inputs {inputs}; expected {INPUT} [{TILE}, {TILE}, {CHANNELS}] for each tile. Give a "
                "model that was converted from Mesmer."
            )

    def predict(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the maps of tiles; see `cellscale.predict.network.Network`."""
        maps = np.empty((*batch.shape[:-1], len(self.heads)), np.float32)
        helpers = self._lanes * min(self._threads, len(self.heads))
        with ThreadPoolExecutor(self._lanes) as lanes, ThreadPoolExecutor(helpers) as pool:

            def compute(index: int) -> None:
                features = self._features(batch[index : index + 1])
                # A lane that has one thread is that thread.
                each: Any = map if self._threads == 1 else pool.map
                for _ in each(
                    _write_map, self._weights, features, [maps[index]] * len(features), range(len(features))
                ):
                    pass

            for _ in lanes.map(compute, range(len(batch))):
                pass
        require_finite(maps, self.name)
        return maps

    def _features(self, tile: NDArray[np.float32]) -> list[Floats]:
        """Return what the body gives to each head for one tile."""
        names = [weights.features for weights in self._weights]
        found: list[Floats] = self._session.run(names, {INPUT: tile})
        for name, features in zip(names, found, strict=True):
            if features.shape != (1, *FEATURES_SHAPE):
                raise ModelError(
                    f"{self.name} gives its heads {name} of shape {list(features.shape[1:])}; expected "
                    f"{list(FEATURES_SHAPE)}. --device cpu:onnxruntime computes it."
                )
            require_finite(features, self.name)
        return found


def _write_map(weights: HeadWeights, features: Floats, maps: Floats, index: int) -> None:
    """Compute one head of one tile into its map."""
    compute_head(
        np.ascontiguousarray(features[0].transpose(1, 0, 2)).reshape(-1),
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
