"""Masks that are no labels of single cells at all: one number for all cells, labels cut to 8 bits, pictures.

They are told by what a label is there: many connected parts, where a cell has one. Cells may be in pieces; that most
of them are in four or more happens in no mask of cells.
"""

import numpy as np

from cellscale.cells.label_table import LabelTable
from cellscale.cells.scattered import CURE, is_scattered
from cellscale.cells.scratch_arrays import Scratch
from cellscale.errors import MaskError

__all__ = ["check_kind"]

PARTS, LEAST = 3, 8
"""Further parts a label, and of all labels together, from which labels are no cells."""

WHITE = frozenset({255, 65_535})
"""What programs write where something is in a mask that says no more: alone, and in several parts, it is no cell."""

CUT = 255
"""The highest label of 8 bits."""

CUT_LABELS, CUT_SHARE, BULKY = 3, 0.02, 5
"""Of so many scattered labels, and of this share of all, numbers that end at 255 began again there; where label 255
is so many times as large as the others, it is what all higher numbers became."""

DOTS, COVERED, MANY = 4, 0.5, 100
"""Pixels a label below which a mask of many labels that covers this share of the image is a picture."""


def check_kind(table: LabelTable, name: str, shape: tuple[int, int], scratch: Scratch) -> None:
    """Check that labels are of single cells, as far as the number of their connected parts tells.

    Parameters
    ----------
    table
        The labels of a mask.
    name
        What to call the mask in messages.
    shape
        Rows and columns of the image.
    scratch
        Where the table is kept.

    Raises
    ------
    MaskError
        They are not.
    """
    count, further = len(table), table.further_parts
    found = f"{count:,} {'label' if count == 1 else 'labels'} in {count + further:,} connected parts or more found"
    is_many = further >= max(LEAST, PARTS * count)
    if count <= 2 and (is_many or (further and int(table.labels[-1]) in WHITE and count == 1)):
        raise _refused(
            name, found, "a number for each cell expected: it tells where cells are, and not which pixel is whose"
        )
    if is_many or _is_dotted(table, shape, scratch):
        raise _refused(
            name,
            found,
            "a number for each cell expected: is it a picture, a map of kinds of tissue or cells, or were labels "
            "saved in 8 bits? Make it again as int32 or uint32",
        )
    cut = _cut_at_255(table)
    if cut:
        raise _refused(
            name,
            f"{count:,} labels up to 255 found, and {cut},",
            "one place for each label expected: were more than 255 cells saved in 8 bits? Make it again as int32 or "
            "uint32",
        )


def _is_dotted(table: LabelTable, shape: tuple[int, int], scratch: Scratch) -> bool:
    """Return whether labels of few pixels fill the image."""
    if len(table) < MANY:
        return False
    covered = sum(int(table.pixels[part].sum()) for part in scratch.parts(len(table)))
    return covered < DOTS * len(table) and covered > COVERED * shape[0] * shape[1]


def _cut_at_255(table: LabelTable) -> str:
    """Say how labels look as if numbers had begun again after 255, or all higher ones had become 255."""
    if not len(table) or int(table.labels[-1]) != CUT:
        return ""
    pixels = np.asarray(table.pixels[: CUT + 1])  # of all labels: there are 255 at most
    if table.further_parts >= LEAST and pixels[-1] > BULKY * np.median(pixels):
        return f"label 255 takes {pixels[-1]:,} pixels, the others {np.median(pixels):,.0f} each"
    count = int(np.count_nonzero(is_scattered(pixels, np.asarray(table.boxes[: CUT + 1]))))
    is_cut = count >= max(CUT_LABELS, CUT_SHARE * len(table))
    return f"{count:,} of them lie in several places far apart" if is_cut else ""


def _refused(name: str, found: str, expected: str) -> MaskError:
    return MaskError(f"{found} in the {name} mask; {expected}. Or: {CURE}")
