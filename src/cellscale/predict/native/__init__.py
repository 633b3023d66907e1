"""Mesmer's network in kernels of our own: the same maps in less processor time.

``docs/native-engine.md`` has the algebra.
"""

from cellscale.predict.native.race import Machine, Race, raced, this_machine

__all__ = ["Machine", "Race", "raced", "this_machine"]
