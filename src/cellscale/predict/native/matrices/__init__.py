"""Products with Intel's AMX: registers that hold a matrix each, and an instruction that multiplies two."""

from cellscale.predict.native.matrices.layout import left_matrices
from cellscale.predict.native.matrices.permission import lacking_for_matrices
from cellscale.predict.native.matrices.pieces import PIECES
from cellscale.predict.native.matrices.rows import multiply_rows

__all__ = ["PIECES", "lacking_for_matrices", "left_matrices", "multiply_rows"]
