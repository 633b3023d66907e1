"""Sessions of ONNX Runtime, with the settings that each device needs."""

import os
import re
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as onnx_errors

from cellscale.errors import ModelError
from cellscale.predict.devices import DEVICES, Device, Precision
from cellscale.predict.onnx_file.joining import CHANNELS, INPUT
from cellscale.predict.quiet import quiet
from cellscale.predict.tiles import TILE

__all__ = ["RUNTIME", "RUN_ERRORS", "Runtime", "SessionSettings", "is_out_of_memory", "open_session"]

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

RUN_ERRORS = (onnx_errors.Fail, onnx_errors.EPFail, onnx_errors.RuntimeException)
"""What a session raises that cannot compute."""

_OUT_OF_MEMORY = (
    "out of memory",
    "outofmemory",
    "failed to allocate",
    "alloc_failed",
    "bad allocation",
    "bad_alloc",
    "not enough memory",
    "not enough gpu memory",
    "insufficient memory",
)


def is_out_of_memory(error: Exception) -> bool:
    """Return whether what a session raised says that memory is short."""
    return any(words in str(error).lower() for words in _OUT_OF_MEMORY)


class Runtime(Protocol):
    """What is asked of ONNX Runtime; tests put a device that is not there in its place."""

    def providers(self) -> list[str]:
        """Return the names of the execution providers that are built in; they need not work."""

    def session(self, content: bytes, options: Any, providers: list[tuple[str, dict[str, str]]]) -> Any:
        """Return an inference session."""


_SILENCE = threading.Lock()


class _OnnxRuntime:
    """ONNX Runtime itself."""

    def providers(self) -> list[str]:
        found: list[str] = onnxruntime.get_available_providers()
        return found

    def session(self, content: bytes, options: Any, providers: list[tuple[str, dict[str, str]]]) -> Any:
        if not any("cuda" in name.lower() or "tensorrt" in name.lower() for name, _ in providers):
            return onnxruntime.InferenceSession(content, options, providers=providers)
        # It prints where it fell back to another provider, or found no libraries; who asks finds out by the result.
        # The standard output is the whole process's: two threads that put it back in turn would leave it turned away.
        with _SILENCE, quiet():
            onnxruntime.preload_dlls()
            return onnxruntime.InferenceSession(content, options, providers=providers)


RUNTIME: Runtime = _OnnxRuntime()
"""ONNX Runtime itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSettings:
    """How a session is to compute."""

    device: Device = DEVICES["cpu"]
    card: int = 0
    """Number of the card, where there are several."""
    precision: Precision = "float32"
    batch_size: int = 1
    """Tiles of a run, where the device wants to know beforehand."""
    threads: int = 0
    """Threads of a processor; 0 for all cores."""
    cache: Path | None = None
    """Folder for what a device compiles of the network; None for compiling it each time."""
    tile: int = TILE
    """Rows and columns of a tile, where the device wants to know beforehand."""


def open_session(content: bytes, name: str, settings: SessionSettings, runtime: Runtime = RUNTIME) -> Any:
    """Return a session for a model, computed by the device that is asked for and no other.

    Parameters
    ----------
    content
        Content of an ``.onnx`` file.
    name
        What the network is called in messages.
    settings
        How to compute.
    runtime
        ONNX Runtime, or what stands for it.

    Raises
    ------
    ModelError
        The device's provider is missing or does not work, or the model is damaged.
    """
    device = settings.device
    if device.provider not in runtime.providers():
        raise ModelError(
            f"the device {device.name} needs the execution provider {device.provider}, which is not installed; found "
            f"{', '.join(runtime.providers())}. It needs {device.install}."
        )
    try:
        session = runtime.session(content, _options(settings), _providers(settings))
    except (*_LOAD_ERRORS, *RUN_ERRORS) as error:
        if device.name == "cpu" and is_out_of_memory(error):
            raise MemoryError(str(error)) from error
        if not isinstance(error, _LOAD_ERRORS):
            raise
        if re.search(r"external (data|initializer)|model_path must not be empty", str(error), re.IGNORECASE):
            raise ModelError(
                f"the network {name} has its weights in a file of their own (external data of ONNX); one file "
                "that holds all is expected, as Python's onnx makes it: "
                f"onnx.save(onnx.load('{name}.onnx'), 'whole.onnx')"
            ) from error
        raise ModelError(
            f"{name} cannot be loaded as an ONNX model: {error}. Expected a whole .onnx file; fetch it again with "
            "`cellscale models fetch NAME` or check --model_path."
        ) from error
    if session.get_providers()[0] != device.provider:
        raise ModelError(
            f"the device {device.name} does not work here: {device.provider} is installed, but could not be started "
            f"for card {settings.card}. It needs {device.install}. `cellscale doctor` shows what was found."
        )
    return session


def _options(settings: SessionSettings) -> Any:
    """Return a session's options."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # errors are raised, too
    options.intra_op_num_threads = settings.threads
    if settings.device.name != "cpu":
        options.use_deterministic_compute = True
    if settings.device.name == "directml":  # its documentation demands both
        options.enable_mem_pattern = False
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    return options


def _providers(settings: SessionSettings) -> list[tuple[str, dict[str, str]]]:
    """Return the execution providers in order of preference, with their options."""
    cpu = DEVICES["cpu"].provider, dict[str, str]()
    make = {"cuda": _cuda, "tensorrt": _tensorrt, "coreml": _coreml, "directml": _directml}.get(settings.device.name)
    return [*make(settings), cpu] if make else [cpu]


def _cuda(settings: SessionSettings) -> list[tuple[str, dict[str, str]]]:
    options = {
        "device_id": str(settings.card),
        # float32 is to be float32: TF32 keeps 10 bits of its 23.
        "use_tf32": "0",
        # The exhaustive search times the algorithms, so that the last bits would depend on chance.
        "cudnn_conv_algo_search": "HEURISTIC",
        "arena_extend_strategy": "kSameAsRequested",
    }
    return [(DEVICES["cuda"].provider, options)]


def _tensorrt(settings: SessionSettings) -> list[tuple[str, dict[str, str]]]:
    def shape(tiles: int) -> str:
        return f"{INPUT}:{tiles}x{settings.tile}x{settings.tile}x{CHANNELS}"

    options = {
        "device_id": str(settings.card),
        "trt_fp16_enable": str(settings.precision == "fp16"),
        "trt_profile_min_shapes": shape(1),
        "trt_profile_opt_shapes": shape(settings.batch_size),
        "trt_profile_max_shapes": shape(settings.batch_size),
    }
    if settings.cache:
        settings.cache.mkdir(parents=True, exist_ok=True)
        folder = str(settings.cache)
        options |= {
            "trt_engine_cache_enable": "True",
            "trt_engine_cache_path": folder,
            "trt_timing_cache_enable": "True",
            "trt_timing_cache_path": folder,
        }
    if settings.precision == "float32":
        # TensorRT has no option for it: float32 is to be float32.
        os.environ.setdefault("NVIDIA_TF32_OVERRIDE", "0")
    # What TensorRT does not know stays on the card.
    return [(DEVICES["tensorrt"].provider, options), *_cuda(settings)]


def _coreml(settings: SessionSettings) -> list[tuple[str, dict[str, str]]]:
    # The neural engine knows only float16.
    options = {"ModelFormat": "MLProgram", "MLComputeUnits": "CPUAndGPU", "RequireStaticInputShapes": "1"}
    if settings.cache:
        settings.cache.mkdir(parents=True, exist_ok=True)
        options["ModelCacheDirectory"] = str(settings.cache)
    return [(DEVICES["coreml"].provider, options)]


def _directml(settings: SessionSettings) -> list[tuple[str, dict[str, str]]]:
    return [(DEVICES["directml"].provider, {"device_id": str(settings.card)})]
