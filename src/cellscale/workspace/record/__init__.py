"""The record of an image: each output, by what it holds and what it was made from."""

from cellscale.workspace.record.file_record import OutputRecord
from cellscale.workspace.record.ledger import Ledger, Mark, Task, Verdict
from cellscale.workspace.record.mask_choice import FORMATS, SUFFIXES, mask_of_record
from cellscale.workspace.record.output_places import place_of, recorded_images

__all__ = [
    "FORMATS",
    "SUFFIXES",
    "Ledger",
    "Mark",
    "OutputRecord",
    "Task",
    "Verdict",
    "mask_of_record",
    "place_of",
    "recorded_images",
]
