"""``cellscale view``: look at images, masks and measurements in the browser."""

from typing import TYPE_CHECKING

import click

from cellscale.cli.options.shared_options import SectionedCommand, one_of

if TYPE_CHECKING:
    from cellscale.images.info import ChannelAxis

__all__ = ["view"]


@click.command(cls=SectionedCommand, short_help="Look at images, masks and cells in the browser.")
@click.argument("dataset", metavar="DATASET")
@click.option("--image_filter", default="", metavar="PREFIX", help="Only images whose names begin with PREFIX.")
@click.option("--recursive", is_flag=True, help="Images in sub-folders as well.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    metavar="N",
    help="Port to listen on, of this machine only; any free one by default.",
)
@click.option(
    "--channel_axis",
    **one_of("C", "Z", "T"),
    help="What the channels were saved as, as it was given for the run.",
)
@click.option("--no_browser", is_flag=True, help="Only print the address.")
def view(
    dataset: str,
    *,
    image_filter: str,
    recursive: bool,
    port: int,
    channel_axis: "ChannelAxis | None",
    no_browser: bool,
) -> None:
    """Look at the images of DATASET, a workspace's folder or URI, with its masks and measurements in the browser.

    The address works on this machine alone, until Ctrl-C.
    """
    import threading
    import webbrowser

    from cellscale.cli.stops import until_ctrl_c
    from cellscale.compiled import warm_up
    from cellscale.storage.reachable import require_reachable
    from cellscale.viewer.dataset import Dataset
    from cellscale.viewer.overview_cache import OverviewCache
    from cellscale.viewer.server import open_server
    from cellscale.workspace.discovery import discover
    from cellscale.workspace.plain_places import dataset_paths

    paths = dataset_paths(dataset)
    require_reachable((dataset,))
    entries = discover(paths, image_filter, channel_axis=channel_axis, recursive=recursive)
    cache = OverviewCache()
    cache.prune()
    with open_server(Dataset(entries, paths, cache), port) as server:
        threading.Thread(target=warm_up).start()  # the first click on a cell needs a kernel
        click.echo(server.url)
        click.echo("Ctrl-C ends it.", err=True)
        if not no_browser:
            webbrowser.open(server.entrance)
        with until_ctrl_c():
            server.serve_forever()
