"""``cellscale stage plan``: the list of a run's tasks, for any scheduler."""

from typing import TYPE_CHECKING, Any

import click

from cellscale.cli.options.request_options import make_request, task_options
from cellscale.cli.options.shared_options import VERBOSITY, SectionedCommand, one_of, option_in
from cellscale.workspace.layout import SUBFOLDERS, Subfolders, workspace_paths

if TYPE_CHECKING:
    from cellscale.engines.tasks.spec import RunSpec

__all__ = ["plan"]

_run = option_in("Run")
_folders = option_in("Folders of the dataset")

_OPTIONS = [
    _run("--run", metavar="NAME", help="Name of the run, and of its folder in DATASET/jobs. Default: the time."),
    _run(
        "--steps",
        **one_of("both", "segment", "measure"),
        default="both",
        show_default=True,
        help="What is done with each image.",
    ),
    _run(
        "--stages",
        **one_of("fused", "separate"),
        default="fused",
        show_default=True,
        help="Whether pictures are made by measure-image, or by a step of their own, visualize.",
    ),
    _folders("--images_subdir", "images", default=SUBFOLDERS.images, show_default=True, help="Images."),
    _folders("--npz_subdir", "numpy", default=SUBFOLDERS.numpy, show_default=True, help="NPZ files."),
    _folders("--segmasks_subdir", "segmasks", default=SUBFOLDERS.segmasks, show_default=True, help="Masks."),
    _folders("--project_subdir", "project", default=SUBFOLDERS.project, show_default=True, help="QuPath project."),
    _folders("--reports_subdir", "reports", default=SUBFOLDERS.reports, show_default=True, help="Tables, reports."),
]
_SUBFOLDERS = ("images", "numpy", "segmasks", "project", "reports")


@click.command("plan", cls=SectionedCommand)
@click.argument("dataset")
@task_options(_OPTIONS)
@click.pass_context
def plan(ctx: click.Context, /, dataset: str, **options: Any) -> None:
    """Write the list of tasks of a run on DATASET, one for each image, and start nothing.

    The only line of the standard output is the number of tasks and the location of their list, for scripts.
    """
    from cellscale.cli.output.progress import SteadyConsole, listening
    from cellscale.engines.tasks.plan import plan_run, write_plan
    from cellscale.pipeline.events import Notice
    from cellscale.workspace.subfolders import left_out

    steps, verbosity, log_file = options["steps"], options["verbosity"], options["log_file"]
    ctx.meta[VERBOSITY] = verbosity
    paths = workspace_paths(dataset, Subfolders(**{name: options[name] for name in _SUBFOLDERS}))
    request = make_request(paths, segment=steps != "measure", measure=steps != "segment", options=options)
    with listening(SteadyConsole(stderr=True), verbose=verbosity, log_file=log_file) as listener:
        for text in left_out(paths, recursive=request.images.recursive):
            listener(Notice("", "warning", text))
        spec = plan_run(request, run=options["run"], stages=options["stages"])
        location = "(a dry run: nothing was written)" if request.dry_run else write_plan(spec)
    _tell(spec, location)


def _tell(spec: "RunSpec", location: str) -> None:
    """Say how the tasks are run, and give a script what it needs."""
    from cellscale.cli.output.printable import printable
    from cellscale.engines.tasks.finish import parts_asked

    last = len(spec.entries) - 1
    tasks = "task 0" if last == 0 else f"tasks 0 to {last}"
    click.echo(f"{tasks} of the run {spec.run}; for each:", err=True)
    click.echo(printable(f"  cellscale stage run-image --tasks {location} --task N"), err=True)
    if len(parts := parts_asked(spec)) > 1:
        click.echo(f"(or, step by step with the same options: {', '.join(parts)})", err=True)
    click.echo(printable(f"and after all of them: cellscale stage finish --tasks {location}"), err=True)
    click.echo(f"{len(spec.entries)} {location}")
