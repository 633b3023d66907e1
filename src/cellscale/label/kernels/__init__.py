"""The steps of labelling one haloed block, each proven equal to the whole image's."""

from cellscale.label.kernels.expansion import grown
from cellscale.label.kernels.frame import Frame
from cellscale.label.kernels.markers import FREE, OUTSIDE, mark
from cellscale.label.kernels.watershed import flood, seed_open_sides

__all__ = ["FREE", "OUTSIDE", "Frame", "flood", "grown", "mark", "seed_open_sides"]
