"""The folder of one image in a project: what QuPath shows of it, and what a person did to it."""

from cellscale.qupath.entry.classed_objects import Classed, Classes, classify_objects
from cellscale.qupath.entry.entry_check import ENTRY_FILES, is_still_of, is_whole_data
from cellscale.qupath.entry.entry_data import PROJECT_FILE, EntryData, write_entry
from cellscale.qupath.entry.shown import not_shown_texts
from cellscale.qupath.entry.thumbnail import thumbnail_jpeg

__all__ = [
    "ENTRY_FILES",
    "PROJECT_FILE",
    "Classed",
    "Classes",
    "EntryData",
    "classify_objects",
    "is_still_of",
    "is_whole_data",
    "not_shown_texts",
    "thumbnail_jpeg",
    "write_entry",
]
