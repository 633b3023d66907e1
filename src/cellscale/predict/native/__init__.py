"""Mesmer's network in kernels of our own: the same maps in less processor time.

``docs/native-engine.md`` has the algebra.
"""
