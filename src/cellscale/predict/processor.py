"""The network on a processor: with kernels of our own where it is Mesmer's and they are faster, or ONNX Runtime's."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cellscale.errors import CellscaleError
from cellscale.predict.devices import Precision, ProcessorEngine
from cellscale.predict.heads import Compartment, heads_of
from cellscale.predict.native.native_network import NATIVE, NativeNetwork, mesmer_heads
from cellscale.predict.native.race import Race, Races, raced, this_machine
from cellscale.predict.network import BATCH, Computation, Network, OnnxNetwork
from cellscale.predict.onnx_file.model_file import model_bytes

__all__ = ["open_processor"]


def open_processor(
    model: Path | str | bytes,
    *,
    compartments: tuple[Compartment, ...],
    engine: ProcessorEngine | None,
    precision: Precision = "float32",
    threads: int,
    batch_size: int | None,
    name: str,
    notes: tuple[str, ...],
    tile: NDArray[np.float32],
    races: Races,
) -> Network:
    """Return a network on a processor.

    Parameters
    ----------
    model
        The ``.onnx`` file, or its content.
    compartments
        Which compartments' maps to compute.
    engine
        What computes; None for what is faster here.
    precision
        ``float32``, or ``bf16``, which only the kernels compute.
    threads
        Threads that work on one batch; 0 takes all cores.
    batch_size
        Tiles that it should be given at once; None takes what suits the network.
    name
        What the network is called in records and messages.
    notes
        What a person should know of the choice of the device.
    tile
        What both would compute to find out, float32 ``(1, tile, tile, 2)``.
    races
        Remembers what was faster.

    Raises
    ------
    ModelError
        The model is not one like Mesmer.
    RequestError
        The kernels are asked for, and the model has another graph than Mesmer's; or the processor cannot compute in
        bfloat16.
    """
    content = model_bytes(model)

    def onnx(computation: Computation, threads: int = threads, batch_size: int | None = batch_size) -> Network:
        return OnnxNetwork(
            content,
            compartments=compartments,
            threads=threads,
            batch_size=batch_size or BATCH,
            name=name,
            computation=computation,
            tile=tile.shape[1],
        )

    def native(computation: Computation, threads: int = threads, batch_size: int | None = batch_size) -> Network:
        return NativeNetwork(
            content,
            heads=heads_of(compartments),
            threads=threads,
            batch_size=batch_size,
            name=name,
            computation=computation,
        )

    def run() -> Race:
        # ONNX Runtime first: it knows what is wrong with a model.
        expected = onnx(Computation(), 1, 1)
        return raced(native(NATIVE, 1, 1), expected, tile)

    if precision == "bf16":
        return native(replace(NATIVE, precision=precision, notes=notes))
    machine = this_machine() if engine is None and _is_mesmer(content, compartments) else None
    if engine == "native":
        return native(replace(NATIVE, notes=notes))
    if machine is None:
        return onnx(Computation(notes=notes))
    try:
        race = races.settled(machine, run)
    except CellscaleError as error:
        return onnx(Computation(notes=(*notes, f"the network is left to ONNX Runtime: {error}")))
    reason = f"on {machine.cpu} {race.told()}"
    if race.is_native:
        return native(replace(NATIVE, notes=notes, reason=reason))
    return onnx(Computation(notes=notes, reason=reason))


def _is_mesmer(content: bytes, compartments: tuple[Compartment, ...]) -> bool:
    try:
        mesmer_heads(content, heads_of(compartments))
    except ValueError:
        return False
    return True
