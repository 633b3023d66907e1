"""A crop whose cells are found again and again, with other settings, until they are good."""

from cellscale.pipeline.tuning.crop_cells import Change, CropCells, changed, touched_labels
from cellscale.pipeline.tuning.found_how import FoundHow
from cellscale.pipeline.tuning.tuned_image import OpenInput, TunedImage, require_crop, usual_crop

__all__ = [
    "Change",
    "CropCells",
    "FoundHow",
    "OpenInput",
    "TunedImage",
    "changed",
    "require_crop",
    "touched_labels",
    "usual_crop",
]
