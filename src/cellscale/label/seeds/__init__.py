"""Labels from seeds: each seed's surroundings are judged pixel by pixel, as InstanSeg does it."""

from cellscale.label.seeds.fields import REACH, Classifier, Fields
from cellscale.label.seeds.numbering import Numbers, numbered, numbered_alone, numbered_pairs
from cellscale.label.seeds.seed_block import FieldReader, SeedBlock, label_seed_block

__all__ = [
    "REACH",
    "Classifier",
    "FieldReader",
    "Fields",
    "Numbers",
    "SeedBlock",
    "label_seed_block",
    "numbered",
    "numbered_alone",
    "numbered_pairs",
]
