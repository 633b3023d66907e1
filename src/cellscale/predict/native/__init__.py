"""Mesmer's network in kernels of our own: the same maps in less processor time.

``docs/native-engine.md`` has the algebra.
"""

from cellscale.predict.native.race import Race, RaceConditions, raced, this_machine

__all__ = ["Race", "RaceConditions", "raced", "this_machine"]
