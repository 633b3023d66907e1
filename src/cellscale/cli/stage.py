"""``cellscale stage``: single steps, for machines that do a part of a run."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

import click

from cellscale.cli.options import VERBOSITY, SectionedCommand, WordGroup, at_terminal, option_in
from cellscale.errors import CellscaleError

if TYPE_CHECKING:
    from cellscale.engines.tasks.results import Part, Task
    from cellscale.engines.tasks.spec import RunSpec
    from cellscale.pipeline.events import Listener

__all__ = ["stage"]

_CRASH = 70
"""Exit code of what nobody foresaw (1 says that an image failed, 2 that the request is wrong)."""

_tasks = option_in("Tasks of a run")
_logs = option_in("Messages")

_COMMON = [
    _tasks("--tasks_spec_uri", "location", required=True, metavar="PATH_OR_URI", help="The run's tasks.json."),
    _tasks(
        "--task_index",
        "index",
        type=click.IntRange(min=0),
        envvar="BATCH_TASK_INDEX",
        show_envvar=True,
        metavar="N",
        help="Which image of the run, from 0.",
    ),
    _logs(
        "--log_format",
        type=click.Choice(["text", "json"]),
        help="JSON lines with a severity, or words for people. Default: words at a terminal.",
    ),
    _logs("-v", "--verbose", "verbosity", count=True, help="Say more."),
]


def _common(function: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_COMMON):
        function = option(function)
    return function


@click.group(cls=WordGroup)
def stage() -> None:
    """Do one step of a run, as other machines do."""


@stage.command("segment-image", cls=SectionedCommand)
@_common
def segment_image(**options: Any) -> None:
    """Make the masks of one image of a run."""
    _image_task("segment-image", **options)


@stage.command("measure-image", cls=SectionedCommand)
@_common
def measure_image(**options: Any) -> None:
    """Make the tables, outlines and pictures of one image of a run."""
    _image_task("measure-image", **options)


@stage.command("preprocess", cls=SectionedCommand)
@_common
def preprocess(**options: Any) -> None:
    """Learn what of the whole image the network's input depends on."""
    _image_task("preprocess", **options)


@stage.command("predict", cls=SectionedCommand)
@_common
def predict(**options: Any) -> None:
    """Run the network over one image of a run."""
    _image_task("predict", **options)


@stage.command("postprocess", cls=SectionedCommand)
@_common
def postprocess(**options: Any) -> None:
    """Make the masks of one image of a run from the network's maps."""
    _image_task("segment-image", **options)


@stage.command("visualize", cls=SectionedCommand)
@_common
def visualize(**options: Any) -> None:
    """Make the pictures of one image of a run."""
    _image_task("visualize", **options)


@stage.command("gather-benchmark", cls=SectionedCommand)
@_common
def gather_benchmark(location: str, index: int | None, log_format: str | None, verbosity: int) -> None:
    """Put together what the stages of one image cost; the end of the run records it for all images."""
    with _reported(location, log_format, verbosity, {"task": "gather-benchmark", "task_index": index}) as found:
        from cellscale.engines.tasks.costs import gather_costs

        spec, listener = found
        gather_costs(spec, index, listener)


@stage.command("shapes", cls=SectionedCommand)
@_common
def shapes(**options: Any) -> None:
    """Write the outlines of one image's cells, from its masks."""
    _image_task("shapes", **options)


@stage.command("measure", cls=SectionedCommand)
@_common
def measure(**options: Any) -> None:
    """Make the tables of one image of a run, from its masks."""
    _image_task("measure-image", **options)


@stage.command("finish", cls=SectionedCommand)
@_common
def finish(location: str, index: int | None, log_format: str | None, verbosity: int) -> None:
    """End a run: the QuPath project, the records, and what became of each image."""
    del index  # given to every task by the machine
    with _reported(location, log_format, verbosity, {"task": "finish"}) as (spec, listener):
        from cellscale.engines.tasks.finish import finish_run

        code = finish_run(spec, listener).exit_code
    click.get_current_context().exit(code)


def _image_task(
    task: "Task | Part", location: str, index: int | None, log_format: str | None, verbosity: int
) -> NoReturn:
    if index is None:
        raise click.UsageError("--task_index is missing, and BATCH_TASK_INDEX is not set")
    with _reported(location, log_format, verbosity, {"task": task, "task_index": index}) as (spec, listener):
        from cellscale.engines.tasks.image_task import run_task

        failed = run_task(spec, task, index, listener).outcome.status == "failed"
    click.get_current_context().exit(1 if failed else 0)


@contextmanager
def _reported(
    location: str, log_format: str | None, verbosity: int, labels: dict[str, Any]
) -> Iterator[tuple["RunSpec", "Listener"]]:
    """Give the run's list and a listener; what goes wrong is told in the chosen form."""
    from cellscale.engines.tasks.spec import read_spec

    signal.signal(signal.SIGTERM, _stop)
    if (log_format or ("text" if at_terminal() else "json")) == "text":
        from rich.console import Console

        from cellscale.cli.progress import listening

        click.get_current_context().meta[VERBOSITY] = verbosity
        with listening(Console(stderr=True), verbose=verbosity, log_file=None) as listener:
            yield read_spec(location), listener
        return
    from cellscale.cli.json_log import json_logging

    with json_logging(sys.stdout, labels, verbose=verbosity) as (log, listener):
        try:
            spec = read_spec(location)
            log.labels["run"] = spec.run
            yield spec, listener
        except CellscaleError as error:
            log.write("ERROR", str(error))
            sys.exit(2)
        except Exception as error:  # told as one line, and by an exit code that is no image's failure
            log.crash(error)
            sys.exit(_CRASH)


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    """End in order when the machine is taken away: what is finished still gets into the store."""
    sys.exit(128 + number)
