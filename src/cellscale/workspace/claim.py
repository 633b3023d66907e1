"""Which run may write to a dataset: the one that began last. Tasks of a run that died find out, and write nothing."""

import json
from dataclasses import dataclass

from cellscale.errors import RunInProgressError
from cellscale.storage.atomic import write_text
from cellscale.storage.json_text import parsed_json
from cellscale.storage.uri import Location, delete, join, make_folder, read_if_there

__all__ = ["Claim"]

_NOBODY = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """A run's claim to a dataset; it ends when another run begins.

    A lock holds as long as a process lives. Work that it has given out goes on on other machines when it dies.
    """

    jobs: Location
    """Folder of the dataset's runs."""
    run: str
    """Name of the run."""
    needed: bool = True
    """Whether the run must have announced itself; else it may write where nobody has."""

    @property
    def location(self) -> Location:
        """Where the name of the run is that may write."""
        return join(self.jobs, "run.json")

    def announce(self) -> bool:
        """Take the dataset over; return whether a run before left a name there.

        Raises
        ------
        StorageError
            It cannot be written.
        """
        before = _holder(self.location)
        make_folder(self.jobs)
        self._write(self.run)
        return before is not None

    def resign(self, *, leave_trace: bool) -> None:
        """End the claim, unless another run has taken the dataset over.

        Parameters
        ----------
        leave_trace
            Whether a run before this one was not ended in good order: its tasks must not find the dataset free.

        Raises
        ------
        StorageError
            It cannot be known or written.
        """
        if _holder(self.location) == self.run:
            if leave_trace:
                self._write(_NOBODY)
            else:
                delete(self.location)

    def require(self) -> None:
        """Check that no other run has taken the dataset over; to be called before anything is committed.

        Raises
        ------
        RunInProgressError
            One has, or the run has ended.
        StorageError
            It cannot be known.
        """
        holder = _holder(self.location)
        if holder == self.run or (holder is None and not self.needed):
            return
        other = f"run {holder} has begun since" if holder else "that run has ended"
        raise RunInProgressError(
            f"this is work for run {self.run} on the dataset of {self.jobs}, and {other}: it writes nothing more"
        )

    def _write(self, run: str) -> None:
        write_text(self.location, json.dumps({"run": run}) + "\n")


def _holder(location: Location) -> str | None:
    """Return the run that may write, empty where it has ended; None where no run has said so."""
    content = read_if_there(location)
    if content is None:
        return None
    try:
        facts = parsed_json(content)
    except ValueError:
        return _NOBODY
    run = facts.get("run") if isinstance(facts, dict) else None
    return run if isinstance(run, str) else _NOBODY
