"""``cellscale tune``: settings that are tried on a crop until the cells are good."""

from pathlib import Path
from typing import Any

import click

from cellscale.cli.options.request_options import task_options
from cellscale.cli.options.shared_options import SectionedCommand, option_in
from cellscale.cli.settings import keep_given
from cellscale.errors import RequestError

__all__ = ["tune"]

_UNUSED = frozenset(
    {
        "image_filter", "regions", "exclude", "tissue", "tissue_threshold", "overwrite_foreign", "mask_format",
        "relabel", "matching", "qupath_version", "exports", "visualize", "no_report", "report_single_file",
        "keep_intermediates", "check", "dry_run", "log_file", "verbosity", "batch_size",
    }
)  # fmt: skip
"""Options of runs that make nothing else of cells: settings files may have them, and they have no effect here."""

_tuning = option_in("Tuning")


class _TuneCommand(SectionedCommand):
    """A command that shows the options that it uses, and takes all that settings files may have."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        for param in self.params:
            if param.name in _UNUSED and isinstance(param, click.Option):
                param.hidden = True

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the words, and keep those that were given."""
        words = list(args)
        rest = super().parse_args(ctx, args)
        keep_given(ctx, self, words)
        return rest


def _region(text: str) -> tuple[int, int, int, int]:
    """Read a rectangle."""
    parts = text.split(",")
    if len(parts) != 4 or not all(part.strip().isdecimal() for part in parts):
        raise click.BadParameter(
            f"{text!r} is not a rectangle; write x,y,width,height in pixels, as in 2000,3000,1024,1024"
        )
    left, top, width, height = map(int, parts)
    return left, top, width, height


@click.command("tune", cls=_TuneCommand, short_help="Try settings on a crop in the browser, and keep the good ones.")
@click.argument("place", metavar="IMAGE|DATASET")
@task_options(
    [
        _tuning("--image", "image_name", metavar="NAME", help="Which image of DATASET. Default: the first one."),
        _tuning(
            "--region",
            type=_region,
            metavar="X,Y,W,H",
            help="The crop, in pixels of the image. Default: 1,024 pixels of 0.5 µm a side in the middle.",
        ),
        _tuning(
            "--settings_out",
            type=click.Path(dir_okay=False, path_type=Path),
            default="tuned.toml",
            show_default=True,
            metavar="FILE",
            help="Where 'Use these' writes the settings. A file that is there is replaced with --overwrite alone.",
        ),
        _tuning(
            "--port",
            type=click.IntRange(0, 65535),
            default=0,
            metavar="N",
            help="Port to listen on, of this machine only; any free one by default.",
        ),
        _tuning("--no_browser", is_flag=True, help="Only print the address."),
    ]
)
@click.pass_context
def tune(
    ctx: click.Context,
    /,
    place: str,
    *,
    image_name: str | None,
    region: tuple[int, int, int, int] | None,
    settings_out: Path,
    port: int,
    no_browser: bool,
    **options: Any,
) -> None:
    """Try settings on a crop of an image in the browser, and see at once how cells change.

    The network predicts the crop once, with the statistics of the whole image, so that what is shown are the very
    cells that a run finds there. 'Use these' writes a settings file for --settings.
    """
    import threading
    import webbrowser

    from cellscale.cli.stops import until_ctrl_c
    from cellscale.cli.tuning.opened_session import opened_session
    from cellscale.compiled import warm_up
    from cellscale.storage.reachable import require_reachable
    from cellscale.viewer.dataset import Dataset
    from cellscale.viewer.overview_cache import OverviewCache
    from cellscale.viewer.server import open_server

    if settings_out.exists() and not options["overwrite"]:
        raise RequestError(f"{settings_out} is there already; name another file with --settings_out, or --overwrite")
    if not settings_out.absolute().parent.is_dir():
        raise RequestError(
            f"there is no folder {settings_out.absolute().parent} for the settings; make it, or name another file "
            "with --settings_out"
        )
    require_reachable((place,))
    cache = OverviewCache()
    cache.prune()
    with (
        opened_session(ctx, place, image_name, region, settings_out, options) as (session, entries, paths),
        open_server(Dataset(entries, paths, cache, session), port) as server,
    ):
        threading.Thread(target=warm_up).start()
        click.echo(server.url)
        click.echo("Ctrl-C ends it.", err=True)
        if not no_browser:
            webbrowser.open(server.entrance)
        try:
            with until_ctrl_c():
                server.serve_forever()
        finally:
            session.stop()  # who closes the server waits for what is being answered
