"""What of a task's outputs is made, kept, or left as a person's; said once, with paths."""

from collections.abc import Sequence
from dataclasses import replace

from cellscale.pipeline.image_run import ImageRun
from cellscale.pipeline.request import ImageChoice, Outputs, Request
from cellscale.storage.uri import Location
from cellscale.workspace.discovery import ImageEntry
from cellscale.workspace.identity import Identity, identify, require_unchanged
from cellscale.workspace.record import Ledger, Mark, Task, Verdict

__all__ = ["decided", "identity_of", "misfit_text", "note_made", "require_right", "to_be_overwritten"]

_WORDS: dict[Task, str] = {
    "segmentation": "masks",
    "intermediates": "intermediates",
    "measurement": "tables",
    "pictures": "pictures",
}
_SHOWN = 5


def identity_of(run: ImageRun, entry: ImageEntry, images: ImageChoice, ledger: Ledger) -> Identity:
    """Return what an image's files hold: looked at once a run, before anything is read of them.

    Raises
    ------
    ImageError
        A file is no longer there.
    StorageError
        A file cannot be read.
    """
    if run.identity is None:
        run.identity = identify(entry, ledger.inputs, images.check)
        if ledger.is_damaged:
            run.notice(
                f"{ledger.location} is damaged: what it still knows for ours is made again, and all else is kept",
                "warning",
            )
    ledger.learn_inputs(run.identity.files)
    return run.identity


def require_right(run: ImageRun, entry: ImageEntry, identity: Identity) -> None:
    """Check, before something made of an image is handed out, that this run may write, and of these pixels.

    Raises
    ------
    RunInProgressError
        Another run has taken the dataset over.
    ImageError
        The image was replaced or changed since its work began.
    StorageError
        It cannot be known.
    """
    run.fence()
    require_unchanged(entry, identity)


def decided(
    run: ImageRun,
    request: Request,
    ledger: Ledger,
    task: Task,
    mark: Mark,
    outputs: Sequence[Location],
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
        As for `cellscale.workspace.record.Ledger.judge`.

    Raises
    ------
    StorageError
        An output cannot be read.
    """
    verdict = to_be_overwritten(ledger.judge(task, mark, outputs, earlier=earlier), request.outputs)
    run.note_fate("kept", verdict.kept)
    run.note_fate("left as a person's", verdict.persons)
    if verdict.persons:
        run.notice(
            f"there are {_WORDS[task]} that this dataset's records do not know, or that were changed; they are kept: "
            f"{_listed(verdict.persons)}. --overwrite=foreign replaces them",
            "warning",
        )
        run.misfits.extend(map(str, verdict.misfits))
    if verdict.stale and not request.outputs.overwrite:
        run.notice(f"the {_WORDS[task]} were made from other input or options; they are made again")
    return verdict


def note_made(run: ImageRun, verdict: Verdict) -> None:
    """Note that all that a verdict said is to be made has been made."""
    run.note_fate("made", verdict.missing)
    run.note_fate("made again", verdict.stale)


def to_be_overwritten(verdict: Verdict, outputs: Outputs) -> Verdict:
    """Return what is made where that is done again: files of others only where that is asked for in so many words."""
    if not outputs.overwrite:
        return verdict
    verdict = replace(verdict, kept=(), stale=(*verdict.stale, *verdict.kept))
    if not outputs.overwrite_foreign:
        return verdict
    return replace(verdict, stale=(*verdict.stale, *verdict.persons), persons=(), misfits=())


def misfit_text(places: Sequence[str]) -> str:
    """Return why an image is not done whose outputs a person changed before its inputs or options became others."""
    return (
        f"{_listed(places)}: changed by a person or another program, and made from another image, other masks or "
        "other options than now. It is kept, and does not fit what is asked for; all else is done. Move it away, or "
        "give --overwrite=foreign"
    )


def _listed(places: Sequence[Location]) -> str:
    more = f" and {len(places) - _SHOWN} more" if len(places) > _SHOWN else ""
    return ", ".join(map(str, places[:_SHOWN])) + more
