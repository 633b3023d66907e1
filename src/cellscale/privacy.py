"""Libraries that would report to their makers, kept from it.

Since 1.29 ONNX Runtime does so on Linux and macOS as soon as it is loaded; OpenVINO does as soon as it is imported.
`cellscale` itself calls `silence_onnxruntime` before any other module of the package can load, in every process.
"""

import os
import sys
from threading import Lock
from typing import Any

__all__ = ["ONNXRUNTIME_SWITCH", "load_openvino", "onnxruntime_reports", "silence_onnxruntime"]

ONNXRUNTIME_SWITCH = "ORT_DISABLE_TELEMETRY"
"""Environment variable that ONNX Runtime reads once, while it is loaded; child processes inherit it."""

_OFF = ("1", "true", "yes", "on")
_REPORTER = "openvino_telemetry"
_LOADING = Lock()


def silence_onnxruntime() -> None:
    """Keep ONNX Runtime from reporting, unless the user has decided on it: a variable that is set stays as it is."""
    if os.environ.get(ONNXRUNTIME_SWITCH):
        return
    os.environ[ONNXRUNTIME_SWITCH] = "1"
    # A program that loaded it before cellscale has sent its first report; ours need not follow.
    stop = getattr(sys.modules.get("onnxruntime"), "disable_telemetry_events", None)
    if stop is not None:
        stop()


def onnxruntime_reports() -> bool:
    """Tell whether ONNX Runtime may report in this process, because the user has set its variable to that end."""
    return os.environ.get(ONNXRUNTIME_SWITCH, "").lower() not in _OFF


def load_openvino() -> Any:
    """Import OpenVINO without the module with which it reports. One that is already imported stays as it is.

    The reporting module can be imported afterwards as before: a program's own use of it is its own business.

    Raises
    ------
    ModuleNotFoundError
        OpenVINO is not installed.
    """
    modules: dict[str, Any] = sys.modules
    with _LOADING:
        if "openvino" not in modules:
            kept = {name: modules[name] for name in (_REPORTER,) if name in modules}
            # OpenVINO takes a stand-in that does nothing where this cannot be imported. It knows no other switch.
            modules[_REPORTER] = None
            try:
                import openvino
            finally:
                del modules[_REPORTER]
                modules.update(kept)
        import openvino
    return openvino
