"""What of a task's outputs is made, kept, or left as a person's; said once, with paths."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from cellscale.pipeline.image_run import ImageRun
from cellscale.pipeline.request import Request
from cellscale.workspace.discovery import ImageEntry
from cellscale.workspace.identity import Identity, identify
from cellscale.workspace.record import Ledger, Task, Verdict

__all__ = ["decided", "identity_of", "misfit_text"]

_WORDS: dict[Task, str] = {"segmentation": "masks", "measurement": "tables", "pictures": "pictures"}
_SHOWN = 5


def identity_of(run: ImageRun, entry: ImageEntry, request: Request, ledger: Ledger) -> Identity:
    """Return what an image's files hold: looked at once a run, before anything is read of them.

    Raises
    ------
    ImageError
        A file is no longer there.
    StorageError
        A file cannot be read.
    """
    if run.identity is None:
        run.identity = identify(entry, ledger.inputs, request.images.check)
    ledger.learn_inputs(run.identity.files)
    return run.identity


def decided(
    run: ImageRun,
    request: Request,
    ledger: Ledger,
    task: Task,
    mark: str,
    outputs: Sequence[Path | str],
    *,
    earlier: str | None = None,
) -> Verdict:
    """Return what is to be made, and tell what is left as a person's.

    Parameters
    ----------
    run
        Is told.
    request
        Whether outputs that are there are made again.
    ledger
        The image's record.
    task, mark, outputs, earlier
        As for `cellscale.records.ledger.Ledger.judge`.

    Raises
    ------
    StorageError
        An output cannot be read.
    """
    verdict = ledger.judge(task, mark, outputs, earlier=earlier)
    if request.outputs.overwrite:
        verdict = replace(verdict, kept=(), stale=(*verdict.stale, *verdict.kept, *verdict.persons), persons=())
        return replace(verdict, misfits=())
    if verdict.persons:
        run.notice(
            f"there are {_WORDS[task]} that this dataset's records do not know, or that were changed; they are kept: "
            f"{_listed(verdict.persons)}. --overwrite replaces them",
            "warning",
        )
        run.misfits.extend(map(str, verdict.misfits))
    if verdict.stale:
        run.notice(f"the {_WORDS[task]} were made from other input or options; they are made again")
    return verdict


def misfit_text(places: Sequence[str]) -> str:
    """Return why an image is not done whose outputs a person changed before its inputs or options became others."""
    return (
        f"{_listed(places)}: changed by a person or another program, and made from another image, other masks or "
        "other options than now. It is kept, and does not fit what is asked for; all else is done. Move it away, or "
        "give --overwrite"
    )


def _listed(places: Sequence[Path | str]) -> str:
    more = f" and {len(places) - _SHOWN} more" if len(places) > _SHOWN else ""
    return ", ".join(map(str, places[:_SHOWN])) + more
