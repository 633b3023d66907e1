"""Which method makes labels of the maps of a network."""

from cellscale.pipeline.segmenting.methods.maxima_method import MAXIMA
from cellscale.pipeline.segmenting.methods.method import AnyNetwork, Kind, Method
from cellscale.pipeline.segmenting.methods.seed_method import SEEDS
from cellscale.predict.instanseg import SeedNetwork

__all__ = ["method_of", "method_of_kind"]


def method_of_kind(kind: Kind) -> Method:
    """Return the method of a kind of networks."""
    return SEEDS if kind == "seeds" else MAXIMA


def method_of(network: AnyNetwork) -> Method:
    """Return the method of a network."""
    return method_of_kind("seeds" if isinstance(network, SeedNetwork) else "maxima")
