"""From the device that a user asks for to a network that works on it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from cellscale.errors import CellscaleError, RequestError
from cellscale.predict.card import CardNetwork
from cellscale.predict.clean_graph import device_content
from cellscale.predict.cuda_runtime import card_count
from cellscale.predict.devices import ANY_DEVICE, AUTO, DEVICES, Device, DeviceChoice, Precision
from cellscale.predict.heads import COMPARTMENTS, Compartment, heads_of
from cellscale.predict.native.arithmetic import require_bfloat16
from cellscale.predict.native.race import AlwaysRaced, Races
from cellscale.predict.network import Computation, Network
from cellscale.predict.network_kinds import NetworkKind, with_mesmer_interface
from cellscale.predict.onnx_file.half import in_float16
from cellscale.predict.onnx_file.joining import fixed_batch
from cellscale.predict.onnx_file.model_file import model_name
from cellscale.predict.openvino import OpenVinoNetwork, require_openvino
from cellscale.predict.processor import open_processor
from cellscale.predict.sessions import RUNTIME, Runtime, SessionSettings, open_session
from cellscale.predict.tiles import TILE

__all__ = ["NetworkRequest", "candidates", "check_device", "open_network"]

_AUTOMATIC = ("cuda", "directml", "coreml")
"""Devices that are tried where none is named, best first. TensorRT builds for minutes before its first tile."""

_LARGEST_DIFFERENCE = {"float32": 1e-2, "fp16": 0.2, "bf16": 0.2}
"""Between a device's maps and a processor's in float32; wrong kernels differ by more, other rounding by less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkRequest:
    """The network that a user asks for."""

    model: Path | str | bytes
    """The ``.onnx`` file, or its content."""
    compartments: tuple[Compartment, ...] = COMPARTMENTS
    device: DeviceChoice = ANY_DEVICE
    precision: Precision = "float32"
    threads: int = 0
    """Threads of a processor; 0 for all cores."""
    batch_size: int | None = None
    """Tiles that the network takes at once; None: chosen for the device."""
    name: str | None = None
    """What the network is called; its file's name if left out."""
    kind: NetworkKind | None = None
    """Which kind of network it is; None: known by its file."""
    cache: Path | None = None
    """Folder for what a device compiles of the network."""
    tile: int = TILE
    """Rows and columns of a tile."""
    races: Races = field(default_factory=AlwaysRaced)
    """Remembers what is faster on a processor."""


def candidates(choice: DeviceChoice, precision: Precision, runtime: Runtime = RUNTIME) -> list[Device]:
    """Return the devices to try, best first, for what is asked for; they are installed, but need not work.

    Raises
    ------
    RequestError
        The device does not offer the precision, or is not installed.
    """
    if choice.name != AUTO:
        _require_installed(DEVICES[choice.name], precision, runtime)
        if choice.engine == "onnxruntime" and precision != "float32":
            raise RequestError(
                f"--device cpu:onnxruntime computes in float32 alone; take --device cpu:native for {precision}"
            )
        return [DEVICES[choice.name]]
    # OpenVINO computes in bfloat16 where it is installed; our kernels, which came later, where it is not.
    names = (*_AUTOMATIC, "openvino", "cpu") if precision == "bf16" else (*_AUTOMATIC, "cpu")
    offering = [DEVICES[name] for name in names if precision in DEVICES[name].precisions]
    lacking = {device.name: _lacking(device, precision, runtime) for device in offering}
    installed = [device for device in offering if lacking[device.name] is None]
    if not installed and precision == "bf16":
        raise RequestError(f"no device here computes in bf16. {' '.join(filter(None, lacking.values()))}")
    if not installed:
        needs = "; or ".join(f"{device.name}: {device.install}" for device in offering)
        raise RequestError(f"--precision {precision} needs a device that is not installed here: {needs}")
    return installed


def check_device(choice: DeviceChoice, precision: Precision, runtime: Runtime = RUNTIME) -> None:
    """Raise `RequestError` where a device cannot be what is asked for, without loading a network."""
    candidates(choice, precision, runtime)


def open_network(request: NetworkRequest, runtime: Runtime = RUNTIME) -> Network:
    """Return the network on the device that is asked for; for ``auto``, on the best that works.

    A device that was not named is taken only if its maps of a tile are a processor's and it is faster.

    Parameters
    ----------
    request
        What is asked for.
    runtime
        ONNX Runtime, or what stands for it.

    Raises
    ------
    ModelError
        The device does not work, or the model is not one like Mesmer.
    RequestError
        The device is not installed, or does not offer the precision.
    """
    devices = candidates(request.device, request.precision, runtime)
    name = request.name or model_name(request.model)
    model = with_mesmer_interface(request.model, request.compartments, name, request.kind)
    request = replace(request, model=model, name=name, kind=None)
    if request.device.name != AUTO or devices[0].name in ("cpu", "openvino"):
        return _opened(devices[0], request, runtime, notes=())
    trial = _Trial(request)
    refused: list[str] = []
    for device in devices:
        if device.name == "cpu":
            return _opened(device, request, runtime, notes=tuple(refused))
        try:
            network = _opened(device, request, runtime, notes=(f"the network runs on {device.name}", *refused))
            objection = trial.objection(network)
        except CellscaleError as error:
            objection = str(error)
        if objection is None:
            return network
        refused.append(f"the device {device.name} is there but is not used: {objection}")
    raise RequestError(f"no device works with --precision {request.precision}: {'; '.join(refused)}")


def _require_installed(device: Device, precision: Precision, runtime: Runtime) -> None:
    if precision not in device.precisions:
        others = [name for name, other in DEVICES.items() if precision in other.precisions]
        raise RequestError(
            f"the device {device.name} does not offer --precision {precision}: its cells were not measured to be "
            f"near enough to float32's. It offers {', '.join(device.precisions)}; {precision} is offered by "
            f"{', '.join(others)}."
        )
    if device.name == "openvino":
        require_openvino(precision)
    elif device.name == "cpu" and precision == "bf16":
        require_bfloat16()
    elif device.provider not in runtime.providers():
        raise RequestError(
            f"--device {device.name} needs the execution provider {device.provider}, which is not installed; found "
            f"{', '.join(runtime.providers())}. It needs {device.install}."
        )


def _lacking(device: Device, precision: Precision, runtime: Runtime) -> str | None:
    """Return why a device cannot be used here; None where it can."""
    try:
        _require_installed(device, precision, runtime)
    except RequestError as error:
        return str(error)
    return None


def _opened(device: Device, request: NetworkRequest, runtime: Runtime, notes: tuple[str, ...]) -> Network:
    """Return the network on one device."""
    name = request.name or model_name(request.model)
    batch_size = request.batch_size or device.batch_size
    if device.name == "cpu":
        return open_processor(
            request.model,
            compartments=request.compartments,
            engine=request.device.engine,
            precision=request.precision,
            threads=request.threads,
            batch_size=request.batch_size,
            name=name,
            notes=notes,
            tile=_test_tile(request.tile),
            races=request.races,
        )
    heads = heads_of(request.compartments)
    content = device_content(request.model, heads)
    if device.name == "openvino":
        return OpenVinoNetwork(
            content,
            heads=heads,
            name=name,
            precision=request.precision,
            threads=request.threads,
            batch_size=batch_size,
            notes=notes,
            tile=request.tile,
        )
    if request.precision == "fp16":
        content = in_float16(content)
    cards = request.device.cards or tuple(range(_visible_cards(device)))
    network = CardNetwork(
        _opener(content, device, request, name, runtime),
        cards,
        heads=heads,
        batch_size=batch_size,
        name=name,
        computation=Computation(device.name, device.provider, request.precision, cards, notes),
        calls_a_card=device.calls,
        tile=request.tile,
    )
    if device.grows and request.batch_size is None:
        network.grow()
    return network


def _visible_cards(device: Device) -> int:
    """Return the number of a device's cards, 1 where they cannot be counted."""
    return max(card_count(), 1) if device.name in ("cuda", "tensorrt") else 1


def _opener(
    content: bytes, device: Device, request: NetworkRequest, name: str, runtime: Runtime
) -> Callable[[int, int], object]:
    """Return a function that opens sessions, one for each card and, where the device fixes it, each batch size."""

    @cache
    def open_fixed(card: int, size: int) -> object:
        settings = SessionSettings(
            device=device,
            card=card,
            precision=request.precision,
            batch_size=size,
            cache=request.cache,
            tile=request.tile,
        )
        return open_session(fixed_batch(content, size, request.tile) if size else content, name, settings, runtime)

    return (lambda card, _: open_fixed(card, 0)) if device.grows else open_fixed


class _Trial:
    """A tile that a device has to compute as a processor does, and in less time.

    Parameters
    ----------
    request
        What is asked for.
    """

    def __init__(self, request: NetworkRequest) -> None:
        self._tile = _test_tile(request.tile)
        self._tolerance = _LARGEST_DIFFERENCE[request.precision]
        plain = replace(request, device=DeviceChoice("cpu"), precision="float32", batch_size=1)
        processor = open_network(plain)
        self._expected = processor.predict(self._tile)
        self._seconds = _seconds_a_tile(processor, self._tile)

    def objection(self, network: Network) -> str | None:
        """Return why a network is not to be used; None for no reason."""
        difference = float(np.abs(network.predict(self._tile) - self._expected).max())
        if difference > self._tolerance:
            return f"its maps differ by {difference:.3g} from a processor's, more than rounding can explain"
        seconds = _seconds_a_tile(network, np.repeat(self._tile, network.batch_size, axis=0))
        if seconds > self._seconds:
            return f"it takes {seconds:.3f} s a tile, the processor {self._seconds:.3f} s"
        return None


def _seconds_a_tile(network: Network, tiles: NDArray[np.float32]) -> float:
    start = perf_counter()
    network.predict(tiles)
    return (perf_counter() - start) / len(tiles)


def _test_tile(side: int) -> NDArray[np.float32]:
    """Return a tile with round spots of some brightness, the same each time."""
    rows, columns = np.mgrid[:side, :side].astype(np.float32)
    nuclei = np.clip(np.sin(rows / 5) * np.sin(columns / 6), 0, 1)
    cells = np.clip(np.sin(rows / 5 + 0.5) * np.cos(columns / 6), 0, 1)
    return np.stack([nuclei, cells], axis=-1)[None]
