"""The network on a processor with OpenVINO, which computes in bfloat16 where the processor can."""

import io
import os
from concurrent.futures import ThreadPoolExecutor
from queue import Queue
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellscale.errors import ModelError, RequestError
from cellscale.predict.devices import DEVICES, Precision
from cellscale.predict.heads import Head
from cellscale.predict.network import MOST_LANES, Computation, require_finite
from cellscale.predict.onnx_file.joining import CHANNELS, MAPS
from cellscale.predict.tiles import TILE
from cellscale.privacy import load_openvino

__all__ = ["OpenVinoNetwork", "require_openvino"]

_CONVERTING = Lock()

_HINTS = {"float32": "f32", "bf16": "bf16"}


class OpenVinoNetwork:
    """A network that OpenVINO computes, several tiles side by side, each of a static shape.

    Parameters
    ----------
    content
        Content of an ``.onnx`` file with all maps in one output.
    heads
        Its maps.
    precision
        ``float32`` or ``bf16``.
    threads
        Threads that work at once; 0 takes all cores.
    batch_size
        Tiles that `predict` should be given at once.
    name
        What the network is called in records and messages.
    notes
        What a person should know of the choice of the device.

    Raises
    ------
    RequestError
        OpenVINO is not installed, or the processor cannot compute in bfloat16.
    ModelError
        OpenVINO cannot load the model.
    """

    calls = 1

    def __init__(
        self,
        content: bytes,
        *,
        heads: tuple[Head, ...],
        name: str,
        precision: Precision = "float32",
        threads: int = 0,
        batch_size: int = DEVICES["openvino"].batch_size,
        notes: tuple[str, ...] = (),
        tile: int = TILE,
    ) -> None:
        self.heads = heads
        self.name = name
        self.batch_size = batch_size
        self.computation = Computation("openvino", "OpenVINO", precision, notes=notes)
        cores = threads or os.cpu_count() or 1
        lanes = min(cores, batch_size, MOST_LANES)
        compiled = _compiled(content, name, precision, cores, lanes, tile)
        self._requests: Queue[Any] = Queue()
        for _ in range(lanes):
            self._requests.put(compiled.create_infer_request())
        self._lanes = lanes

    def predict(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the maps of tiles; see `cellscale.predict.network.Network`."""
        maps = np.empty((*batch.shape[:-1], len(self.heads)), np.float32)

        def compute(index: int) -> None:
            request = self._requests.get()
            try:
                maps[index] = request.infer({0: batch[index : index + 1]}, share_inputs=True, share_outputs=True)[
                    MAPS
                ][0]
            finally:
                self._requests.put(request)

        with ThreadPoolExecutor(self._lanes) as pool:
            for _ in pool.map(compute, range(len(batch))):
                pass
        require_finite(maps, self.name)
        return maps


def require_openvino(precision: Precision = "float32") -> Any:
    """Return OpenVINO's core, having checked that it is there and can compute in a precision.

    Raises
    ------
    RequestError
        It is not, or cannot.
    """
    try:
        openvino = load_openvino()
    except ModuleNotFoundError as error:
        raise RequestError(
            f"--device openvino needs the Python package openvino, which is not installed; get it with: "
            f"{DEVICES['openvino'].install}"
        ) from error
    _convert_types(openvino)
    core = openvino.Core()
    abilities = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    if precision == "bf16" and "BF16" not in abilities:
        raise RequestError(
            f"--precision bf16 needs a processor that computes in bfloat16 (AVX-512 BF16 or AMX); this one can "
            f"{', '.join(abilities)}. Leave --precision out."
        )
    return core


def _convert_types(openvino: Any) -> None:
    """Convert a type between OpenVINO and numpy once, before any thread computes.

    The first conversion fills a table of OpenVINO's: the thread that does it holds the table's lock and waits for
    Python's, while another that has Python's waits for the table's. Seen with 2026.4.1: 5 of 28 runs hung for ever.
    """
    with _CONVERTING:
        openvino.Type(np.float32).to_dtype()


def _compiled(content: bytes, name: str, precision: Precision, cores: int, lanes: int, tile: int) -> Any:
    """Return the model compiled for tiles one by one."""
    core = require_openvino(precision)
    settings = {
        "INFERENCE_PRECISION_HINT": _HINTS[precision],
        "INFERENCE_NUM_THREADS": cores,
        "NUM_STREAMS": lanes,
    }
    try:
        model = core.read_model(io.BytesIO(content))
        model.reshape([1, tile, tile, CHANNELS])
        return core.compile_model(model, "CPU", settings)
    except RuntimeError as error:
        raise ModelError(f"OpenVINO cannot load {name}: {error}. --device cpu takes ONNX Runtime instead.") from error
