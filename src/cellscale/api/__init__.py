"""The Python interface: find the cells of an image or array, measure them, and try settings on a crop.

The command line runs the same.
"""

from cellscale.api.given import Source
from cellscale.api.tuned_crops import Tuning, tune
from cellscale.api.whole_images import Labels, Segmentation, measure, segment
from cellscale.images.open import open_image

__all__ = ["Labels", "Segmentation", "Source", "Tuning", "measure", "open_image", "segment", "tune"]
