"""Which method makes labels of the maps of a network."""

from collections.abc import Callable

from cellscale.pipeline.model import Interface
from cellscale.pipeline.segmenting.methods.maxima_method import of_maxima
from cellscale.pipeline.segmenting.methods.method import AnyNetwork, Kind, Method
from cellscale.pipeline.segmenting.methods.seed_method import of_seeds
from cellscale.predict.input_format import InputFormat
from cellscale.predict.instanseg import SeedNetwork, SquareGrid
from cellscale.predict.tiles import TileGrid

__all__ = ["grid_of", "method_of", "method_of_kind"]


def method_of_kind(kind: Kind, input_format: InputFormat) -> Method:
    """Return the method of a kind of networks that are given their input in a format."""
    return of_seeds(input_format) if kind == "seeds" else of_maxima(input_format)


def grid_of(interface: Interface) -> Callable[[tuple[int, int]], TileGrid | SquareGrid]:
    """Return what gives the tiles that a network has of an image of so many rows and columns at its pixel size."""
    method = method_of_kind(interface.kind, interface.input_format)
    return lambda shape: method.groups(shape).grid


def method_of(network: AnyNetwork, input_format: InputFormat) -> Method:
    """Return the method of a network that is given its input in a format."""
    return method_of_kind("seeds" if isinstance(network, SeedNetwork) else "maxima", input_format)
