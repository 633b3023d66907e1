"""Cells of a crop that are found again with other settings: what the page asks, and who answers."""

from cellscale.viewer.tuning.tuned_labels import TunedLabels
from cellscale.viewer.tuning.tuner import Crop, Tuner
from cellscale.viewer.tuning.tuning_answers import find_cells, keep_settings, tuned_object, tuned_tile, tuning_facts

__all__ = [
    "Crop",
    "TunedLabels",
    "Tuner",
    "find_cells",
    "keep_settings",
    "tuned_object",
    "tuned_tile",
    "tuning_facts",
]
