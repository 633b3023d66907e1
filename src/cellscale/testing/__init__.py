"""Checks for those who extend cellscale: whether a reader, network, engine or exporter does what is asked of it.

Each check raises `AssertionError` with what is wrong, in words, so that it fits any test runner. cellscale's own
parts pass the same checks.
"""

from cellscale.testing.engine_kit import check_engine
from cellscale.testing.exporter_kit import check_exporter
from cellscale.testing.network_kit import check_network
from cellscale.testing.reader_kit import check_reader

__all__ = ["check_engine", "check_exporter", "check_network", "check_reader"]
