"""Datasets in buckets, and runs of tasks on them."""

import json
from pathlib import Path

from cellscale.engines.tasks.spec import RunSpec, write_spec
from cellscale.storage.atomic import write_bytes
from cellscale.storage.uri import join, objects_below, read_bytes
from cellscale.workspace.discovery import discover
from cellscale.workspace.layout import workspace_paths
from tests.cli.runs import run
from tests.requests import batch_options, request_for

__all__ = ["download", "lines", "sent", "spec_for", "task"]


def sent(folder: Path, uri: str) -> str:
    """Copy a dataset into a bucket."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            write_bytes(join(uri, *path.relative_to(folder).parts), path.read_bytes())
    return uri


def download(uri):
    """Return the content of all objects below a URI."""
    return {name: read_bytes(join(uri, name)) for name in objects_below(uri)}


def spec_for(dataset, model, run="run-1", **options) -> str:
    """Write the list of tasks of a dataset."""
    request = request_for(workspace_paths(dataset), model_path=str(model), **options)
    entries = tuple(discover(request.paths, request.images.prefix))
    return str(write_spec(RunSpec(run=run, request=request, options=batch_options(**options), entries=entries)))


def task(word, spec, index=None, **words):
    """Run a command of `cellscale stage` in this process."""
    options = [part for name, value in words.items() for part in (f"--{name}", str(value))]
    place = [] if index is None else ["--task_index", index]
    return run("stage", word, "--tasks_spec_uri", spec, *place, *options)


def lines(text):
    """Return the facts of each line that a task wrote."""
    return [json.loads(line) for line in text.splitlines()]
