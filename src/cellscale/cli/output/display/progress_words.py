"""Times and counts as people say them."""

__all__ = ["clock", "roughly"]

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def clock(seconds: float) -> str:
    """Return a time as a stopwatch shows it: ``0:42``, ``12:03``, ``3:00:59``."""
    minutes, second = divmod(int(seconds), _MINUTE)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def roughly(seconds: float) -> str:
    """Return a time that is not known better: ``3 s``, ``10 s``, ``4 min``, ``2.5 h``, ``3 days``."""
    if seconds < 9.5:
        return f"{max(round(seconds), 1)} s"
    if seconds < 55:
        return f"{round(seconds / 5) * 5} s"
    if seconds < 0.95 * _HOUR:
        return f"{max(round(seconds / _MINUTE), 1)} min"
    if seconds < 1.95 * _DAY:
        return f"{seconds / _HOUR:.1f} h"
    return f"{seconds / _DAY:.0f} days"
