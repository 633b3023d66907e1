"""What earlier runs made for other options, and no run asks for any more."""

import shutil
from collections.abc import Sequence

from cellscale.pipeline.image_run import ImageRun
from cellscale.storage.storage_errors import explained
from cellscale.storage.uploads import delete_all
from cellscale.storage.uri import Location, base_name, delete, find, join, local_path, objects_below
from cellscale.workspace.record import Ledger, Mark, Task

__all__ = ["clear_leftovers"]


def clear_leftovers(run: ImageRun, ledger: Ledger, task: Task, places: Sequence[Location], mark: Mark) -> None:
    """Remove outputs that a task does not make any more, if they are as it made them for other options; name others.

    What a run that was stopped had begun to make is removed as well.

    Parameters
    ----------
    run
        Is told.
    ledger
        The image's record, of which they are dropped; to be written.
    task
        Which made them.
    places
        What it could have made, and was not asked for now.
    mark
        Fingerprint of what is made now: outputs that belong to it stay.

    Raises
    ------
    StorageError
        One cannot be read or removed.
    """
    half_made = set(ledger.unfinished(task))
    for place in places:
        record = ledger.record(task, place)
        found = find(place)
        if record is None and found is not None and base_name(place) in half_made:
            _remove(place, is_folder=found.is_folder)
            run.note_fate("removed", [place])
            run.notice(f"{place} is of a run that was stopped, and is not asked for now: it is removed")
            continue
        now = mark if isinstance(mark, str) else mark.get(base_name(place))
        if record is None or record.made_from == now or found is None:
            continue
        if not ledger.made(task, place):
            run.notice(f"{place} is of another run, and was changed since; it is kept", "warning")
            run.note_fate("left as a person's", [place])
            continue
        _remove(place, is_folder=found.is_folder)
        ledger.forget(task, [base_name(place)])
        run.note_fate("removed", [place])
        run.notice(f"{place} was made for other input or options, and is not asked for now: it is removed")


def _remove(place: Location, *, is_folder: bool) -> None:
    path = local_path(place)
    if not is_folder:
        delete(place)
    elif path is not None:
        with explained("delete", path):
            shutil.rmtree(path)
    else:
        delete_all(str(join(place, name)) for name in objects_below(str(place)))
