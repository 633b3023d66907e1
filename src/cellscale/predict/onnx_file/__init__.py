"""ONNX files: read, checked, cut down and made."""

from cellscale.predict.onnx_file.joining import CHANNELS, INPUT, MAPS, fixed_batch
from cellscale.predict.onnx_file.model_file import model_content
from cellscale.predict.onnx_file.signature import Signature, signature_of
from cellscale.predict.onnx_file.tiny import tiny_network

__all__ = [
    "CHANNELS",
    "INPUT",
    "MAPS",
    "Signature",
    "fixed_batch",
    "model_content",
    "signature_of",
    "tiny_network",
]
