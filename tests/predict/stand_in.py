"""An ONNX Runtime with devices that are not there: a processor computes in their place, and fails as they would."""

from typing import Any

import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as onnx_errors

from cellscale.predict.devices import DEVICES

__all__ = ["StandIn"]


class StandIn:
    """A runtime with the given devices.

    Parameters
    ----------
    devices
        Names of the devices that are built in beside the processor.
    memory
        Tiles of all runs at once that the device has room for.
    works
        Whether sessions start on the device; otherwise they fall back to the processor, as ONNX Runtime's do.
    error
        What runs fail with instead of computing.
    computes
        Whether runs compute at all; where only their number counts, they need not.
    """

    def __init__(
        self,
        *devices: str,
        memory: int = 10**6,
        works: bool = True,
        error: str = "",
        computes: bool = True,
    ) -> None:
        self.devices = devices
        self.memory = memory
        self.works = works
        self.error = error
        self.computes = computes
        self.opened: list[tuple[list[tuple[str, dict[str, str]]], list[Any]]] = []
        """Providers with their options, and the input's shape, of every session."""
        self.runs: list[tuple[str, int]] = []
        """Card and number of tiles of every run that did not fail."""

    def providers(self) -> list[str]:
        return [*(DEVICES[name].provider for name in self.devices), "AzureExecutionProvider", "CPUExecutionProvider"]

    def session(self, content: bytes, options: Any, providers: list[tuple[str, dict[str, str]]]) -> Any:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        self.opened.append((providers, session.get_inputs()[0].shape))
        return _Session(self, session, providers) if providers[0][0] != "CPUExecutionProvider" else session


class _Session:
    """A processor's session in the place of a device's."""

    def __init__(self, runtime: StandIn, session: Any, providers: list[tuple[str, dict[str, str]]]) -> None:
        self._runtime, self._session, self._providers = runtime, session, providers

    def get_providers(self) -> list[str]:
        names = [name for name, _ in self._providers]
        return names if self._runtime.works else names[-1:]

    def get_inputs(self) -> Any:
        return self._session.get_inputs()

    def get_outputs(self) -> Any:
        return self._session.get_outputs()

    def io_binding(self) -> Any:
        return self._session.io_binding()

    def run_with_iobinding(self, binding: Any) -> None:
        tiles = binding.get_outputs()[0].shape()[0]
        if self._runtime.error:
            raise onnx_errors.Fail(self._runtime.error)
        if tiles > self._runtime.memory:
            raise onnx_errors.RuntimeException(f"Failed to allocate memory for requested buffer of size {tiles}")
        if self._runtime.computes:
            self._session.run_with_iobinding(binding)
        self._runtime.runs.append((self._providers[0][1].get("device_id", ""), tiles))
