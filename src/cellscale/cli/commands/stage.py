"""``cellscale stage``: single steps, for machines that do a part of a run."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import click

from cellscale.cli.commands.stage_plan import plan
from cellscale.cli.options.shared_options import Option, SectionedCommand, WordGroup, option_in, positive_number
from cellscale.cli.output.stage_reporting import in_words, reported
from cellscale.engines.tasks.array_index import ARRAYS, array_index

if TYPE_CHECKING:
    from cellscale.engines.tasks.results import Part, Task
    from cellscale.pipeline.events import Listener
    from cellscale.pipeline.outcome import ImageOutcome

__all__ = ["stage"]

_tasks = option_in("Tasks of a run")
_files = option_in("Or from file to file")
_logs = option_in("Messages")

_TASK = [
    _tasks("--tasks", "--tasks_spec_uri", "location", metavar="PATH_OR_URI", help="The run's tasks.json."),
    _tasks(
        "--task",
        "--task_index",
        "index",
        type=click.IntRange(min=0),
        metavar="N",
        help=f"Which image of the run, from 0. Default: what an array of jobs says ({', '.join(ARRAYS)}).",
    ),
]
_LOG = [
    _logs(
        "--log_format",
        type=click.Choice(["text", "json"]),
        help="JSON lines with a severity, or words for people. Default: words at a terminal.",
    ),
    _logs("-v", "--verbose", "verbosity", count=True, help="Say more."),
]


def _uri(name: str, text: str) -> Option:
    return _files(f"--{name}", metavar="PATH_OR_URI", help=text)


_COSTS = _uri("benchmark_output_uri", "Write here what it cost, as JSON.")
_MODEL = _files(
    "--model",
    metavar="[mesmer|instanseg|torch-mesmer|PATH]",
    help="The network, as for the other two of preprocess, predict and postprocess. Default: mesmer.",
)
_ARRAY = _files(
    "--image_array_name", metavar="NAME", default="input_channels", show_default=True, help="Array of the image."
)

Command = Callable[..., Any]


def _command(name: str, files: Sequence[Option] = ()) -> Callable[[Command], click.Command]:
    """Return a decorator that makes a function a step with the options of tasks, and with those of files."""

    def decorate(function: Command) -> click.Command:
        for option in reversed([*_TASK, *files, *_LOG]):
            function = option(function)
        return stage.command(name, cls=SectionedCommand)(function)

    return decorate


class _InOrder(WordGroup):
    """A group whose help lists commands in the order of the work."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands as they were declared."""
        return list(self.commands)


@click.group(cls=_InOrder)
def stage() -> None:
    """Do one step of a run, as other machines do."""


stage.add_command(plan)


@_command("run-image")
def run_image(location: str | None, index: int | None, log_format: str | None, verbosity: int) -> None:
    """Do all steps of one image of a run that were planned, up to the first that fails."""
    from cellscale.engines.tasks.finish import parts_asked
    from cellscale.engines.tasks.spec import read_spec

    def steps() -> "Sequence[Task | Part]":
        return parts_asked(read_spec(_needed(location)))

    _image_tasks(steps, location, index, log_format, verbosity)


@_command("segment-image")
def segment_image(**options: Any) -> None:
    """Make the masks of one image of a run."""
    _image_task("segment-image", **options)


@_command("measure-image")
def measure_image(**options: Any) -> None:
    """Make the tables, outlines and pictures of one image of a run."""
    _image_task("measure-image", **options)


@_command(
    "preprocess",
    [
        _uri("image_uri", "NPZ file with an array of rows x columns x (nucleus, membrane)."),
        _ARRAY,
        _files("--image_mpp", type=positive_number, metavar="MICROMETRES", help="Size of a pixel. Default: 0.5."),
        _MODEL,
        _uri("model_path", "An .onnx file. Default: Mesmer's input, which needs none."),
        _uri("output_uri", "NPZ file of the network's input, array 'image'."),
        _COSTS,
    ],
)
def preprocess(**options: Any) -> None:
    """Make the network's input, or for an image of a run learn what that depends on."""
    from cellscale.engines.tasks.file_tasks import preprocess_task

    _either("preprocess", preprocess_task, ("image_uri", "output_uri"), options)


@_command(
    "predict",
    [
        _uri("image_uri", "What preprocess wrote."),
        _uri("output_uri", "NPZ file of the network's maps, arrays arr_0 to arr_3."),
        _MODEL,
        _uri("model_path", "An .onnx file. Default: the installed weights."),
        _files("--model_hash", metavar="HASH", help="SHA-256 or MD5 that the model must have."),
        _files(
            "--batch_size",
            type=click.IntRange(min=1),
            metavar="TILES",
            help="Tiles that the network processes at once.",
        ),
        _COSTS,
    ],
)
def predict(**options: Any) -> None:
    """Run the network."""
    from cellscale.engines.tasks.file_tasks import predict_task

    _either("predict", predict_task, ("image_uri", "output_uri"), options)


@_command(
    "postprocess",
    [
        _uri("raw_predictions_uri", "What predict wrote."),
        _files("--input_rows", type=click.IntRange(min=1), metavar="ROWS", help="Rows of the image."),
        _files("--input_cols", type=click.IntRange(min=1), metavar="COLUMNS", help="Columns of the image."),
        _files(
            "--compartment",
            type=click.Choice(["whole-cell", "nuclear", "both"]),
            metavar="[whole-cell|nuclear|both]",
            default="whole-cell",
            show_default=True,
            help="What to label.",
        ),
        _MODEL,
        _uri("output_uri", "NPZ file of the labels, array 'image'."),
        _uri("wholecell_tiff_output_uri", "TIFF file of the labels of whole cells."),
        _uri("nuclear_tiff_output_uri", "TIFF file of the labels of nuclei."),
        _COSTS,
    ],
)
def postprocess(**options: Any) -> None:
    """Make masks from the network's maps."""
    from cellscale.engines.tasks.file_tasks import postprocess_task

    needed = ("raw_predictions_uri", "input_rows", "input_cols", "output_uri")
    _either("segment-image", postprocess_task, needed, options)


@_command("shapes")
def shapes(**options: Any) -> None:
    """Write the outlines of one image's cells, from its masks."""
    _image_task("shapes", **options)


@_command("measure")
def measure(**options: Any) -> None:
    """Make the tables of one image of a run, from its masks."""
    _image_task("measure-image", **options)


@_command(
    "visualize",
    [
        _uri("image_uri", "NPZ file with an array of rows x columns x (nucleus, membrane)."),
        _ARRAY,
        _uri("predictions_uri", "What postprocess wrote."),
        _uri("visualized_input_uri", "PNG file of the image."),
        _uri("visualized_predictions_uri", "PNG file of the image with outlines of what was found."),
    ],
)
def visualize(**options: Any) -> None:
    """Make pictures of the input and of what was found."""
    from cellscale.engines.tasks.file_tasks import visualize_task

    needed = ("image_uri", "predictions_uri", "visualized_input_uri", "visualized_predictions_uri")
    _either("visualize", visualize_task, needed, options)


@_command(
    "gather-benchmark",
    [
        _uri("preprocess_benchmarking_uri", "What preprocess cost."),
        _uri("prediction_benchmarking_uri", "What predict cost."),
        _uri("postprocess_benchmarking_uri", "What postprocess cost."),
        _files("--bigquery_benchmarking_table", metavar="PROJECT.DATASET.TABLE", help="Append the record here."),
    ],
)
def gather_benchmark(
    location: str | None, index: int | None, log_format: str | None, verbosity: int, **files: Any
) -> None:
    """Put together what the stages of one image cost; the end of a run records it for all images."""
    labels: dict[str, Any] = {"task": "gather-benchmark", "task_index": index}
    with reported(log_format, verbosity, labels) as listener:
        if location is None:
            from cellscale.engines.tasks.file_tasks import gather_files

            needed = tuple(name for name in files if name.endswith("benchmarking_uri"))
            gather_files(listener, **_given(files, needed))
            return
        from cellscale.engines.tasks.spec import read_spec
        from cellscale.engines.tasks.task_records import gather_costs

        gather_costs(read_spec(location), array_index() if index is None else index, listener)


@_command("finish")
def finish(location: str | None, index: int | None, log_format: str | None, verbosity: int) -> None:
    """Finish a run: write the QuPath project, the records, and what became of each image."""
    del index  # given to every task by the machine
    labels = {"task": "finish"}
    with reported(log_format, verbosity, labels) as listener:
        from cellscale.engines.tasks.finish import finish_run
        from cellscale.engines.tasks.spec import read_spec

        spec = read_spec(_needed(location))
        labels["run"] = spec.run
        outcome = finish_run(spec, listener)
    if in_words(log_format):
        from cellscale.cli.output.progress import SteadyConsole
        from cellscale.cli.output.summary import show_summary

        show_summary(outcome, spec.request, SteadyConsole())
    click.get_current_context().exit(outcome.exit_code)


def _either(
    task: "Task | Part",
    from_files: "Callable[..., ImageOutcome]",
    needed: Sequence[str],
    options: dict[str, Any],
) -> NoReturn:
    """Do a step for an image of a run if one is given, else from file to file."""
    common = {name: options.pop(name) for name in ("location", "index", "log_format", "verbosity")}
    if common["location"] is not None:
        _image_task(task, **common)
    files = _given(options, needed)
    with reported(common["log_format"], common["verbosity"], {"task": task}) as listener:
        outcome = from_files(listener, **files)
    click.get_current_context().exit(1 if outcome.status == "failed" else 0)


def _image_task(
    task: "Task | Part", location: str | None, index: int | None, log_format: str | None, verbosity: int
) -> NoReturn:
    _image_tasks(lambda: (task,), location, index, log_format, verbosity)


def _image_tasks(
    tasks: "Callable[[], Sequence[Task | Part]]",
    location: str | None,
    index: int | None,
    log_format: str | None,
    verbosity: int,
) -> NoReturn:
    index = array_index() if index is None else index
    if index is None:
        raise click.UsageError(f"--task is missing, and none of {', '.join(ARRAYS)} is set")
    labels: dict[str, Any] = {"task_index": index}
    with reported(log_format, verbosity, labels) as listener:
        failed = False
        for task in tasks():
            labels["task"] = task
            failed = _run(task, _needed(location), index, labels, listener).status == "failed"
            if failed:
                break
    click.get_current_context().exit(1 if failed else 0)


def _run(
    task: "Task | Part", location: str, index: int, labels: dict[str, Any], listener: "Listener"
) -> "ImageOutcome":
    from cellscale.engines.tasks.image_task import run_task
    from cellscale.engines.tasks.spec import read_spec

    spec = read_spec(location)
    labels["run"] = spec.run
    return run_task(spec, task, index, listener).outcome


def _needed(location: str | None) -> str:
    if location is None:
        raise click.UsageError("--tasks is missing; cellscale stage plan DATASET writes the list of tasks")
    return location


def _given(options: dict[str, Any], needed: Sequence[str]) -> dict[str, Any]:
    """Return the options that were given; refuse if one is missing that is needed."""
    missing = [f"--{name}" for name in needed if options.get(name) is None]
    if missing:
        raise click.UsageError(f"give --tasks, or {', '.join(missing)} as well")
    return {name: value for name, value in options.items() if value is not None}
