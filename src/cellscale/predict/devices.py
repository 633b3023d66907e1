"""The devices that can compute the network, by the words that a user asks for them with."""

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

from cellscale.errors import RequestError

__all__ = [
    "ANY_DEVICE",
    "AUTO",
    "DEVICES",
    "PRECISIONS",
    "PROCESSOR_ENGINES",
    "Device",
    "DeviceChoice",
    "Precision",
    "ProcessorEngine",
    "parse_device",
]

Precision: TypeAlias = Literal["float32", "fp16", "bf16"]
"""Number format of weights and intermediate values; maps are float32 in any case."""

PRECISIONS: tuple[Precision, ...] = ("float32", "fp16", "bf16")

ProcessorEngine: TypeAlias = Literal["native", "onnxruntime"]
"""What computes on a processor: ONNX Runtime with kernels of our own, or alone."""

PROCESSOR_ENGINES: tuple[ProcessorEngine, ...] = ("native", "onnxruntime")

AUTO = "auto"
"""The word for the best device that works."""


@dataclass(frozen=True, slots=True)
class Device:
    """One kind of device."""

    name: str
    """The user's word for it."""

    provider: str
    """ONNX Runtime's execution provider; for OpenVINO the package that takes ONNX Runtime's place."""

    install: str
    """What to do where it is missing."""

    precisions: tuple[Precision, ...] = ("float32",)
    """Those whose labels were measured to be near enough to float32's."""

    calls: int = 2
    """Runs at once on one card: with two, one's transfers pass while the other computes."""

    grows: bool = False
    """Whether any batch size runs in the same session, so that the best can be looked for."""

    batch_size: int = 8
    """Tiles of a batch, to begin with where it grows."""


_GPU_PACKAGE = (
    "an NVIDIA card with its driver, and ONNX Runtime for it in the place of the one for processors: "
    "pip install 'cellscale[gpu]', then pip uninstall -y onnxruntime, then "
    "pip install --force-reinstall --no-deps onnxruntime-gpu"
)

DEVICES: dict[str, Device] = {
    device.name: device
    for device in (
        Device("cpu", "CPUExecutionProvider", "pip install onnxruntime", ("float32", "bf16"), calls=1, batch_size=16),
        Device("cuda", "CUDAExecutionProvider", _GPU_PACKAGE, ("float32", "fp16"), grows=True, batch_size=4),
        Device(
            "tensorrt",
            "TensorrtExecutionProvider",
            f"{_GPU_PACKAGE}, then pip install tensorrt",
            ("float32", "fp16"),
            batch_size=32,
        ),
        Device("coreml", "CoreMLExecutionProvider", "a Mac with Apple silicon: pip install onnxruntime", calls=1),
        Device("openvino", "OpenVINO", "pip install 'cellscale[openvino]'", ("float32", "bf16"), calls=1),
        # DirectML refuses two runs of a session at once.
        Device(
            "directml",
            "DmlExecutionProvider",
            "Windows, and ONNX Runtime for it in the place of the one for processors: pip uninstall -y onnxruntime, "
            "then pip install --force-reinstall onnxruntime-directml",
            calls=1,
        ),
    )
}
"""All devices by name."""


@dataclass(frozen=True, slots=True)
class DeviceChoice:
    """A device that a user asks for."""

    name: str = AUTO
    """A name in `DEVICES`, or ``auto``."""

    cards: tuple[int, ...] = ()
    """Which cards, from 0; empty for all that are visible."""

    engine: ProcessorEngine | None = None
    """What computes on a processor; None for what is faster there."""


ANY_DEVICE = DeviceChoice()
"""The best that works."""

_CHOICE = re.compile(r"([a-z]+)(?::(\d+(?:,\d+)*))?", re.ASCII)
_ENGINES: dict[str, ProcessorEngine] = {f"cpu:{engine}": engine for engine in PROCESSOR_ENGINES}
_NUMBERED = ("cuda", "tensorrt", "directml")


def parse_device(text: str) -> DeviceChoice:
    """Read a device such as ``auto``, ``cpu:native`` or, for the second and third card alone, ``cuda:1,2``.

    Raises
    ------
    RequestError
        There is no such device, or it has no numbered cards.
    """
    word = text.strip().lower()
    if word in _ENGINES:
        return DeviceChoice("cpu", engine=_ENGINES[word])
    match = _CHOICE.fullmatch(word)
    name, numbers = match.groups() if match else ("", None)
    if name != AUTO and name not in DEVICES:
        raise RequestError(
            f"there is no device {text!r}; known: {', '.join((AUTO, *DEVICES))}, for chosen cards "
            f"cuda:0 or cuda:0,1, and for what computes on a processor {' or '.join(_ENGINES)}. Check --device."
        )
    if numbers and name not in _NUMBERED:
        raise RequestError(
            f"the device {name} has no numbered cards, but {text!r} names some; those with cards are "
            f"{', '.join(_NUMBERED)}. Check --device."
        )
    cards = tuple(dict.fromkeys(int(number) for number in numbers.split(","))) if numbers else ()
    return DeviceChoice(name, cards)
