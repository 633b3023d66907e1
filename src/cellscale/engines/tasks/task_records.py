"""What the stages of images cost, put together from the results of their tasks."""

import json

from cellscale.engines.benchmark_rows import benchmark_rows
from cellscale.engines.tasks.results import Part, Task, find_result, read_results
from cellscale.engines.tasks.spec import RunSpec, run_folder
from cellscale.pipeline.events import Listener, Notice
from cellscale.pipeline.outcome import ImageOutcome
from cellscale.storage.atomic import write_bytes
from cellscale.storage.uri import join, make_folder

__all__ = ["gather_costs", "parts_of_all", "parts_of_image"]

ORDER: tuple[Task | Part, ...] = ("preprocess", "predict", "segment-image", "shapes", "measure-image", "visualize")
"""In which an image's work is done."""


def parts_of_all(spec: RunSpec) -> list[ImageOutcome]:
    """Return what each task did, those of an image in the order of the work."""
    return [result.outcome for task in ORDER for result in read_results(run_folder(spec), task)]


def parts_of_image(spec: RunSpec, index: int) -> list[ImageOutcome]:
    """Return what each task did for one image, in the order of the work."""
    results = (find_result(run_folder(spec), task, index) for task in ORDER)
    return [result.outcome for result in results if result is not None]


def gather_costs(spec: RunSpec, index: int | None, listener: Listener) -> None:
    """Write an image's benchmark record to ``jobs/<run>/benchmarks/<index>.json``, so that it can be looked at.

    The end of the run appends the records of all images to the dataset's own and to the table, once.

    Parameters
    ----------
    spec
        The run.
    index
        Which image; None for all.
    listener
        Is told of each record.

    Raises
    ------
    StorageError
        Results cannot be read, or records cannot be written.
    """
    folder = join(run_folder(spec), "benchmarks")
    make_folder(folder)
    for number in range(len(spec.entries)) if index is None else (index,):
        for row in benchmark_rows(spec.request, parts_of_image(spec, number), spec.run, engine=spec.engine):
            known = {name: value for name, value in row.items() if value is not None}
            write_bytes(join(folder, f"{number}.json"), json.dumps(known, default=str).encode())
            listener(Notice(spec.entry(number).name, "info", f"benchmark record with {len(known)} facts"))
