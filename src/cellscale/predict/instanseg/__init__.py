"""InstanSeg: its weights as ONNX, and its maps of any image."""

from cellscale.predict.instanseg.conversion import converted
from cellscale.predict.instanseg.instanseg_graph import HALO
from cellscale.predict.instanseg.seed_kinds import problem_of_seeds, seed_model, with_seeds
from cellscale.predict.instanseg.seed_network import NUMBER_OF_MAPS, SeedNetwork, is_seed_network
from cellscale.predict.instanseg.squares import SQUARE, SquareGrid, square_input

__all__ = [
    "HALO",
    "NUMBER_OF_MAPS",
    "SQUARE",
    "SeedNetwork",
    "SquareGrid",
    "converted",
    "is_seed_network",
    "problem_of_seeds",
    "seed_model",
    "square_input",
    "with_seeds",
]
