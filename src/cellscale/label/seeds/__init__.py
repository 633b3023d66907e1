"""Labels from seeds: each seed's surroundings are judged pixel by pixel, as InstanSeg does it."""

from cellscale.label.seeds.claims import Claims, SeedObjects
from cellscale.label.seeds.fields import REACH, Classifier, Fields, seed_windows
from cellscale.label.seeds.seed_block import FieldReader, SeedBlock, label_seed_block
from cellscale.label.seeds.seed_numbers import Numbers, counted, numbered, numbered_alone, numbered_pairs

__all__ = [
    "REACH",
    "Claims",
    "Classifier",
    "FieldReader",
    "Fields",
    "Numbers",
    "SeedBlock",
    "SeedObjects",
    "counted",
    "label_seed_block",
    "numbered",
    "numbered_alone",
    "numbered_pairs",
    "seed_windows",
]
