"""From InstanSeg's TorchScript archive to ONNX."""

from typing import BinaryIO

from cellscale.predict.instanseg.instanseg_graph import instanseg_graph
from cellscale.predict.instanseg.torchscript import read_parameters

__all__ = ["converted"]


def converted(stream: BinaryIO) -> bytes:
    """Return the content of an ``.onnx`` file with the network of InstanSeg's TorchScript archive.

    Raises
    ------
    ModelError
        It is no such archive, a damaged one, or another network.
    """
    return instanseg_graph(read_parameters(stream))
