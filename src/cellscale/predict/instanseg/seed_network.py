"""InstanSeg's network on a processor."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cellscale.errors import ModelError
from cellscale.predict.instanseg.instanseg_graph import CLASSIFIER, IMAGE, MAPS, MARGINS
from cellscale.predict.network import Computation, require_finite
from cellscale.predict.onnx_file.model_file import model_bytes, model_name
from cellscale.predict.onnx_file.signature import signature_of
from cellscale.predict.sessions import RUN_ERRORS, SessionSettings, is_out_of_memory, open_session

__all__ = ["CLASSIFIER_WEIGHTS", "NUMBER_OF_MAPS", "SeedNetwork", "is_seed_network"]

NUMBER_OF_MAPS = 10
"""Maps of nuclei, then as many of cells: two offsets, two of their spread, and the height of seeds."""

CLASSIFIER_WEIGHTS = 61
"""Numbers of the pixel classifier."""


class SeedNetwork:
    """InstanSeg's network, computed by a processor with ONNX Runtime; safe to call from several threads.

    One square is computed at a time, by all threads.
    """

    calls = 1
    batch_size = 1

    def __init__(self, model: Path | str | bytes, *, threads: int = 0, name: str | None = None) -> None:
        """Load the network.

        Parameters
        ----------
        model
            Path of the ``.onnx`` file that `cellscale models fetch instanseg` makes, or its content.
        threads
            Threads that compute a square; 0 for all cores.
        name
            What the network is called; its file's name if left out.

        Raises
        ------
        ModelError
            The file is missing, damaged, or not a network of this kind.
        """
        self.name = name or model_name(model)
        self.computation = Computation()
        self._session = open_session(model_bytes(model), self.name, SessionSettings(threads=threads))
        inputs = {one.name: (len(one.shape), one.type) for one in self._session.get_inputs()}
        outputs = {one.name: (len(one.shape), one.type) for one in self._session.get_outputs()}
        self.classifier = _classifier(self._session.get_modelmeta().custom_metadata_map.get(CLASSIFIER, ""))
        """The weights of the pixel classifier, float32 ``(61,)``."""
        expected = {IMAGE: (4, "tensor(float)"), MARGINS: (2, "tensor(int64)")}
        if inputs != expected or outputs != {MAPS: (4, "tensor(float)")} or self.classifier.size == 0:
            raise ModelError(
                f"{self.name} has the inputs {', '.join(inputs)} and the outputs {', '.join(outputs)}; InstanSeg's "
                f"has {IMAGE} and {MARGINS}, {MAPS}, and the weights of a {CLASSIFIER} in its metadata. "
                "Get it with: cellscale models fetch instanseg"
            )

    def predict(self, image: NDArray[np.float32], margins: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the maps of a square, float32 ``(10, rows, columns)``.

        Parameters
        ----------
        image, margins
            As `cellscale.predict.instanseg.squares.square_input` returns them.

        Raises
        ------
        ImageError
            The network answered with NaN or infinity.
        """
        try:
            maps: NDArray[np.float32] = self._session.run([MAPS], {IMAGE: image, MARGINS: margins})[0][0]
        except RUN_ERRORS as error:
            if is_out_of_memory(error):
                raise MemoryError(str(error)) from error
            raise
        require_finite(maps, self.name)
        return maps


def is_seed_network(path: Path) -> bool:
    """Tell whether a file has the inputs and outputs of such a network; one that cannot be read has not."""
    try:
        signature = signature_of(path)
    except (OSError, ValueError):
        return False
    return set(signature.inputs) == {IMAGE, MARGINS} and set(signature.outputs) == {MAPS}


def _classifier(digits: str) -> NDArray[np.float32]:
    """Return the classifier's weights; none where they are missing or damaged."""
    try:
        content = bytes.fromhex(digits)
    except ValueError:
        return np.empty(0, np.float32)
    if len(content) != 4 * CLASSIFIER_WEIGHTS:
        return np.empty(0, np.float32)
    return np.frombuffer(content, "<f4").astype(np.float32)
