"""The record of an image: each output, by what it holds and what it was made from."""

from cellscale.workspace.record.ledger import Ledger, Task, Verdict
from cellscale.workspace.record.mask_choice import FORMATS, SUFFIXES, mask_of_record

__all__ = ["FORMATS", "SUFFIXES", "Ledger", "Task", "Verdict", "mask_of_record"]
