"""How much memory this process had at most."""

import re
from pathlib import Path

__all__ = ["peak_since", "reset_peak"]

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_before = 0


def reset_peak() -> None:
    """Begin to measure; where the system does not tell, nothing is measured."""
    global _before  # noqa: PLW0603 - a process has one peak
    if CLEAR.exists():
        CLEAR.write_text("5")
        _before = _resident("VmRSS")


def peak_since() -> int:
    """Return the bytes by which memory grew at most since it was reset."""
    return _resident("VmHWM") - _before if CLEAR.exists() else 0


def _resident(what: str) -> int:
    found = re.search(rf"^{what}:\s+(\d+) kB", STATUS.read_text(encoding="ascii"), re.MULTILINE)
    return 1024 * int(found[1]) if found else 0
