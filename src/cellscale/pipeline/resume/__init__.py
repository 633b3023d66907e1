"""What is finished, so that a killed run goes on and a second one keeps what fits."""

from cellscale.pipeline.resume.image_source import note_source, require_one_source
from cellscale.pipeline.resume.ledger import Ledger
from cellscale.pipeline.resume.state import RunState, fingerprint

__all__ = ["Ledger", "RunState", "fingerprint", "note_source", "require_one_source"]
