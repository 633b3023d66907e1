"""What is finished, so that a killed run goes on and a second one keeps what fits."""

from cellscale.pipeline.resume.asked import asked, asked_again, work_mark
from cellscale.pipeline.resume.decision import (
    decided,
    identity_of,
    misfit_text,
    note_made,
    require_right,
    to_be_overwritten,
)
from cellscale.pipeline.resume.image_source import note_source, require_one_source
from cellscale.pipeline.resume.leftovers import clear_leftovers
from cellscale.pipeline.resume.marks import (
    counts_mark,
    earlier_files,
    earlier_measurement_mark,
    files_by_content,
    measurement_mark,
)
from cellscale.pipeline.resume.remote_state import open_state
from cellscale.pipeline.resume.state import CHECKSUM, RunState, fingerprint

__all__ = [
    "CHECKSUM",
    "RunState",
    "asked",
    "asked_again",
    "clear_leftovers",
    "counts_mark",
    "decided",
    "earlier_files",
    "earlier_measurement_mark",
    "files_by_content",
    "fingerprint",
    "identity_of",
    "measurement_mark",
    "misfit_text",
    "note_made",
    "note_source",
    "open_state",
    "require_one_source",
    "require_right",
    "to_be_overwritten",
    "work_mark",
]
