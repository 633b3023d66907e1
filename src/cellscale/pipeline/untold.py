"""What was done for an image and no record or report tells of yet: kept as it is done, so that no kill loses it."""

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, fields, replace

from cellscale.errors import RequestError, StorageError
from cellscale.pipeline.outcome import ImageOutcome
from cellscale.pipeline.request import from_json, to_json
from cellscale.pipeline.resume import fingerprint
from cellscale.records.image_facts import ImageFacts
from cellscale.records.stage_cost import StageRecord
from cellscale.storage.atomic import atomic_write
from cellscale.storage.json_text import parsed_json
from cellscale.storage.uri import Location, delete, join, local_path, make_folder, read_if_there
from cellscale.workspace.discovery import ImageEntry

__all__ = ["Untold", "clear_told", "continued", "image_mark", "keep_untold", "untold"]

_FOLDER = "untold"


@dataclass(frozen=True, slots=True, kw_only=True)
class Untold:
    """What was done so far."""

    mark: str
    """Hash of what was asked; what was done for other requests does not count."""
    outcome: ImageOutcome


def image_mark(entry: ImageEntry, work: str) -> str:
    """Return what is the same as long as the same is done with the same image."""
    return fingerprint({"work": work, "image": [entry.size, entry.marker]})


def untold(jobs: Location, image: str, mark: str) -> ImageOutcome | None:
    """Return what an earlier run did for the same request and did not come to tell; None where there is nothing.

    Raises
    ------
    StorageError
        It cannot be known.
    """
    content = read_if_there(_location(jobs, image))
    if content is None:
        return None
    try:
        found: Untold = from_json(Untold, parsed_json(content), what=str(_location(jobs, image)))
    except (ValueError, RequestError):  # damaged, or another version's
        return None
    return found.outcome if found.mark == mark and found.outcome.status != "failed" else None


def keep_untold(jobs: Location, mark: str, outcome: ImageOutcome) -> None:
    """Keep what was done so far; where that cannot be, the work goes on all the same."""
    with suppress(StorageError):
        make_folder(join(jobs, _FOLDER))
        with atomic_write(_location(jobs, outcome.image), durable=False) as file:
            file.write(json.dumps(to_json(Untold(mark=mark, outcome=outcome)), ensure_ascii=False).encode())


def clear_told(jobs: Location, images: Iterable[str]) -> None:
    """Forget what has been told.

    Raises
    ------
    StorageError
        It cannot be removed.
    """
    for image in images:
        if read_if_there(_location(jobs, image)) is not None:
            delete(_location(jobs, image))
    folder = local_path(join(jobs, _FOLDER))
    if folder is not None:
        with suppress(OSError):
            folder.rmdir()


def continued(earlier: ImageOutcome, now: ImageOutcome) -> ImageOutcome:
    """Return what a run says of an image, with what an earlier one did for it and did not come to tell.

    Parameters
    ----------
    earlier
        What `untold` returned.
    now
        What this run did.
    """
    stages = {record.stage: record for record in earlier.stages}
    for record in now.stages:
        stages[record.stage] = _joined(stages.get(record.stage), record)
    last = earlier if now.status == "kept" and earlier.finished_utc else now
    return replace(
        now,
        untold=True,
        run=last.run,
        machine=last.machine,
        finished_utc=last.finished_utc,
        stages=tuple(stages.values()),
        seconds=earlier.seconds + now.seconds,
        processor_seconds=earlier.processor_seconds + now.processor_seconds,
        peak_memory=max(earlier.peak_memory, now.peak_memory),
        warnings=tuple(dict.fromkeys((*earlier.warnings, *now.warnings))),
        notes=tuple(dict.fromkeys((*earlier.notes, *now.notes))),
        facts=ImageFacts(
            **{
                one.name: getattr(now.facts, one.name) or getattr(earlier.facts, one.name)
                for one in fields(ImageFacts)
            }
        ),
    )


def _joined(before: StageRecord | None, now: StageRecord) -> StageRecord:
    """Return the cost of a stage that was begun again, or gone on with."""
    if before is None or (now.earlier_units == 0 and now.units >= before.units):
        return now
    units = before.units + now.units
    return StageRecord(
        stage=now.stage,
        seconds=before.seconds + now.seconds,
        peak_memory=max(before.peak_memory, now.peak_memory),
        units=units,
        busy_seconds=before.busy_seconds + now.busy_seconds,
        read_seconds=before.read_seconds + now.read_seconds,
        write_seconds=before.write_seconds + now.write_seconds,
        earlier_units=max(now.units + now.earlier_units - units, 0),
        processor_seconds=before.processor_seconds + now.processor_seconds,
    )


def _location(jobs: Location, image: str) -> Location:
    return join(jobs, _FOLDER, f"{image}.json")
