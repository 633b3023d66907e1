"""Checks for those who extend cellscale: whether a reader, network, engine or exporter does what is asked of it.

Each check raises `AssertionError` with what is wrong, in words, so that it fits any test runner. cellscale's own
parts pass the same checks.
"""

from cellscale.testing.engines import check_engine
from cellscale.testing.exporters import check_exporter
from cellscale.testing.networks import check_network
from cellscale.testing.readers import check_reader

__all__ = ["check_engine", "check_exporter", "check_network", "check_reader"]
