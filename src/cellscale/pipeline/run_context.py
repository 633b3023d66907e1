"""What an image's work shares with that of other images, done before or on other machines at the same time."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from cellscale.ordered import Turns
from cellscale.pipeline.entering import Entering
from cellscale.qupath.project_image import ProjectImage
from cellscale.records.shared_clock import SharedClock
from cellscale.workspace.claim import Claim

__all__ = ["ALONE", "Placement"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """How an image's work fits in with others'."""

    shared_state: bool = False
    """Keep finished units beside a dataset in an object store, so that another machine can go on with them."""

    position: int = 0
    """The image's position among those that may enter the QuPath project at the same time."""

    run: str | None = None
    """Names the run, where an image's work may be done again in the same run; its outputs then count as just made."""

    work: str | None = None
    """Names what is done, for what is kept of its costs until they are told; None where nobody tells of them."""

    claim: Claim | None = None
    """The claim of the run to the dataset, checked before anything is committed; None where nobody else may come."""

    tried_again: bool = False
    """Where the store was away, raise that rather than call the image a failed one: it is tried once more."""

    entering: Entering | None = None
    """Images of the same run that enter the project's list together; None: each enters it alone."""

    turns: Turns | None = None
    """The order in which images that are worked on side by side enter the project, so that numbers and list are those
    of images worked on one after another; None where no other image of the process is."""

    rest: Callable[[], AbstractContextManager[None]] = nullcontext
    """Gives a context in which the image only waits for its turn, and others may have its part of the budget."""

    clock: SharedClock | None = None
    """Divides time among images that are worked on side by side; None where this one gets all of it."""

    enter_project: Callable[[ProjectImage], None] | None = None
    """Takes the image's place in the project, whose list of images is then left to it; None: see ``entering``."""


ALONE = Placement()
"""No other image is worked on at the same time."""
