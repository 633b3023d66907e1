"""``cellscale segment-and-measure``, ``segment`` and ``measure``: from words to a run and its summary."""

import gc
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from cellscale.cli.options.engine_options import chosen_engine
from cellscale.cli.options.request_options import request_options
from cellscale.cli.options.shared_options import VERBOSITY, SectionedCommand, WordGroup, closest, normalize_word
from cellscale.cli.settings import Settled, keep_given, settled_request
from cellscale.engines.engine_request import BatchOptions, DaskOptions
from cellscale.errors import NoImagesError, RequestError
from cellscale.loading import loading
from cellscale.storage.reachable import require_reachable
from cellscale.storage.uri import local_path
from cellscale.workspace.found_instead import require_images_folder
from cellscale.workspace.layout import SUBFOLDERS, Subfolders, WorkspacePaths, separate_paths, workspace_paths
from cellscale.workspace.plain_places import plain_dataset

__all__ = ["measure", "segment", "segment_and_measure"]


_OVERWRITE = {"--overwrite=foreign": "--overwrite_foreign"}


class _ModeCommand(SectionedCommand):
    """A command that says where an option belongs that was given after it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the words after the mode."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            name = normalize_word(error.option_name.lstrip("-"))
            outer = ctx.parent.command.params if ctx.parent else []
            if any(name == opt.lstrip("-") for param in outer for opt in param.opts):
                advice = f"{error.option_name} goes before {self.name!r}, not after it"
                raise click.UsageError(advice, ctx) from None
            raise


class _RunGroup(WordGroup):
    """A command whose two modes say where the images are; without a mode, images or a folder of them are given."""

    command_class = _ModeCommand

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the words before the mode; ``--overwrite`` alone takes no value, and never the mode for one."""
        words = [_OVERWRITE.get(word.lower(), word) for word in args]
        with suppress(click.UsageError):  # told below
            first = self.make_parser(ctx).parse_args(list(words))[1][:1]
            ctx.allow_interspersed_args = bool(first) and self._is_place(ctx, first[0])  # no mode keeps them apart
        rest = super().parse_args(ctx, list(words))
        keep_given(ctx, self, words)
        return rest

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the mode; files and folders without one have their own."""
        if self._is_place(ctx, args[0]):
            return _plain.name, _plain, args
        if self.get_command(ctx, args[0]) is None and not ctx.resilient_parsing:
            known = ". Give images, a folder of them, or 'workspace DATASET'."
            ctx.fail(
                f"there is no file, folder or mode {args[0]!r}{closest(args[0], self.list_commands(ctx)) or known}"
            )
        return super().resolve_command(ctx, args)

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write all three forms."""
        for form in ("IMAGE...|FOLDER", "workspace DATASET", "paths --images_path FOLDER ..."):
            formatter.write_usage(ctx.command_path, f"[OPTIONS] {form}")

    def _is_place(self, ctx: click.Context, word: str) -> bool:
        """Tell whether a word is a file or folder rather than a mode."""
        is_mode = self.get_command(ctx, word) is not None
        return not is_mode and (any(mark in word for mark in "./\\") or Path(word).exists())


@click.group("segment-and-measure", cls=_RunGroup)
@request_options
@click.pass_context
def segment_and_measure(ctx: click.Context, /, **options: Any) -> None:
    """Find cells and nuclei, and measure them.

    Give IMAGEs of one folder, or a FOLDER of images: what is made of them goes beside them, to the folders SEGMASK,
    REPORTS, PROJ and jobs. Or give the options first, then 'workspace DATASET' for a folder that has its images in
    OMETIFF, or 'paths' for folders in separate places.
    """
    _begin(ctx, options, segment=True, measure=True)


@click.group("segment", cls=_RunGroup)
@request_options
@click.pass_context
def segment(ctx: click.Context, /, **options: Any) -> None:
    """Find cells and nuclei: make masks only.

    Give IMAGEs of one folder, or a FOLDER of images: what is made of them goes beside them, to the folders SEGMASK,
    REPORTS, PROJ and jobs. Or give the options first, then 'workspace DATASET' for a folder that has its images in
    OMETIFF, or 'paths' for folders in separate places.
    """
    _begin(ctx, options, segment=True, measure=False)


@click.group("measure", cls=_RunGroup)
@request_options
@click.pass_context
def measure(ctx: click.Context, /, **options: Any) -> None:
    """Measure the cells of masks that are there already.

    Give IMAGEs of one folder, or a FOLDER of images: what is made of them goes beside them, to the folders SEGMASK,
    REPORTS, PROJ and jobs. Or give the options first, then 'workspace DATASET' for a folder that has its images in
    OMETIFF, or 'paths' for folders in separate places. Options about segmentation have no effect.
    """
    _begin(ctx, options, segment=False, measure=True)


@click.command("workspace", cls=_ModeCommand)
@click.argument("dataset")
@click.option("--images_subdir", "images", default=SUBFOLDERS.images, show_default=True, help="Images.")
@click.option(
    "--npz_subdir", "numpy", default=SUBFOLDERS.numpy, show_default=True, help="NPZ files, used for pixels."
)
@click.option("--segmasks_subdir", "segmasks", default=SUBFOLDERS.segmasks, show_default=True, help="Masks.")
@click.option("--project_subdir", "project", default=SUBFOLDERS.project, show_default=True, help="QuPath project.")
@click.option("--reports_subdir", "reports", default=SUBFOLDERS.reports, show_default=True, help="Tables, reports.")
@click.pass_context
def workspace(ctx: click.Context, /, dataset: str, **subfolders: str) -> None:
    """Work on DATASET, a folder or URI with one folder of images and one for each kind of output."""
    if not dataset:
        raise RequestError("DATASET is empty; give the folder that holds the folder of images")
    try:
        _run(ctx, workspace_paths(dataset, Subfolders(**subfolders)), dataset)
    except NoImagesError:
        require_images_folder(dataset, subfolders["images"], ctx.parent.command_path if ctx.parent else "cellscale")
        raise


@click.command("plain", cls=SectionedCommand)
@click.argument("places", nargs=-1)
@click.pass_context
def _plain(ctx: click.Context, /, places: tuple[str, ...]) -> None:
    """Work on image files of one folder, or on a folder of images; outputs go beside them."""
    where, files = plain_dataset(places)
    jobs = local_path(where.jobs)
    _run(ctx, where, str(where.jobs).rpartition("/")[0] if jobs is None else str(jobs.parent), files)


@click.command("paths", cls=_ModeCommand)
@click.option("--images_path", "images", required=True, metavar="FOLDER", help="Images.")
@click.option("--numpy_path", "numpy", metavar="FOLDER", help="NPZ files, used for pixels.")
@click.option("--segmasks_path", "segmasks", required=True, metavar="FOLDER", help="Masks.")
@click.option("--project_path", "project", metavar="FOLDER", help="QuPath project; without, none is made.")
@click.option("--reports_path", "reports", metavar="FOLDER", help="Tables, reports; needed for measuring.")
@click.pass_context
def paths(ctx: click.Context, /, **folders: Any) -> None:
    """Work on images, masks and reports in folders (or URIs) of their own."""
    if ctx.obj["measure"] and folders["reports"] is None:
        raise RequestError("--reports_path is missing; name the folder where the tables are to be written")
    _run(ctx, separate_paths(**folders), None)


for _group in (segment_and_measure, segment, measure):
    _group.add_command(workspace)
    _group.add_command(paths)


def _begin(ctx: click.Context, options: dict[str, Any], *, segment: bool, measure: bool) -> None:
    """Keep the options for the mode, which follows."""
    ctx.meta[VERBOSITY] = options["verbosity"]
    ctx.obj = {"segment": segment, "measure": measure, "options": options}


def _run(ctx: click.Context, where: WorkspacePaths, dataset: str | None, files: tuple[str, ...] = ()) -> None:
    assert ctx.parent is not None, "modes have a command"
    require_reachable((where.images, where.numpy, where.segmasks, where.project, where.reports))
    settled = settled_request(ctx.parent, where, dataset, **ctx.obj)
    if files:
        request = settled.request
        settled = replace(settled, request=replace(request, images=replace(request.images, files=files)))
    engine, own = chosen_engine(settled.options)
    ctx.exit(_execute(settled, engine, own))


def _execute(settled: Settled, engine: str, own: BatchOptions | DaskOptions | None) -> int:
    """Run the request, tell what became of it and return the exit code."""
    from cellscale.cli.output.progress import SteadyConsole, Told, listening
    from cellscale.cli.output.summary import show_summary
    from cellscale.engines.engine import find_engine
    from cellscale.pipeline.events import Notice
    from cellscale.workspace.subfolders import left_out

    told = Told()
    request, options = settled.request, settled.options
    console = SteadyConsole(stderr=True)
    with listening(
        console, verbose=options["verbosity"], log_file=options["log_file"], told=told, plans=request.dry_run
    ) as listener:
        if settled.note is not None:
            listener(Notice("", "info", settled.note))
        beside = () if request.images.files else left_out(request.paths, recursive=request.images.recursive)
        for text in (*settled.warnings, *beside):
            listener(Notice("", "warning", text))
        # In a process that calls several commands what they leave behind would stay as well.
        with loading(stays=gc.get_freeze_count() > 0):
            run = find_engine(engine)
        outcome = run(request, listener) if own is None else run(request, listener, own)
    show_summary(outcome, request, SteadyConsole(), told.failed)
    return outcome.exit_code
