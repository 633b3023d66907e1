"""``cellscale verify``: whether a dataset is what its records say."""

from collections import Counter
from typing import Any

import click

from cellscale.cli.options.shared_options import SectionedCommand
from cellscale.workspace.layout import SUBFOLDERS, Subfolders

__all__ = ["verify"]


@click.command(cls=SectionedCommand)
@click.argument("dataset", metavar="DATASET")
@click.option(
    "--repair",
    is_flag=True,
    help="Make again what is missing, unfinished or changed; what was changed is put aside as NAME.changed-HASH.",
)
@click.option("--all", "show_all", is_flag=True, help="Name also the files that are as they should be.")
@click.option("--images_subdir", "images", default=SUBFOLDERS.images, show_default=True, help="Images.")
@click.option("--npz_subdir", "numpy", default=SUBFOLDERS.numpy, show_default=True, help="NPZ files.")
@click.option("--segmasks_subdir", "segmasks", default=SUBFOLDERS.segmasks, show_default=True, help="Masks.")
@click.option("--project_subdir", "project", default=SUBFOLDERS.project, show_default=True, help="QuPath project.")
@click.option("--reports_subdir", "reports", default=SUBFOLDERS.reports, show_default=True, help="Tables, reports.")
@click.pass_context
def verify(ctx: click.Context, /, dataset: str, *, repair: bool, show_all: bool, **subfolders: Any) -> None:
    """Check that all outputs are what their records say.

    All bytes of the outputs of DATASET, a workspace's folder or URI, are read and compared with its records. A line
    for each file that is missing, changed, unfinished or of another run, and the number of each. The exit code is 1
    where there is any. Nothing is written without --repair.
    """
    from cellscale.cli.output.printable import printable
    from cellscale.pipeline.dataset_check import verified
    from cellscale.storage.reachable import require_reachable
    from cellscale.workspace.layout import workspace_paths
    from cellscale.workspace.plain_places import dataset_paths

    named = Subfolders(**subfolders)
    paths = dataset_paths(dataset) if named == SUBFOLDERS else workspace_paths(dataset, named)
    require_reachable((dataset,))

    def look(*, silent: bool = False) -> "Counter[str]":
        counts: Counter[str] = Counter()
        for finding in verified(paths):
            counts[finding.state] += 1
            if not silent and (show_all or finding.state != "ok"):
                click.echo(f"{finding.state}: {printable(finding.image)}: {printable(str(finding.place))}")
        return counts

    counts = look()
    if repair and counts.total() > counts["ok"]:
        from cellscale.cli.output.progress import SteadyConsole, listening
        from cellscale.engines.repair import repair as repaired

        with listening(SteadyConsole(stderr=True), verbose=0, log_file=None) as listener:
            repaired(paths, listener)
        click.echo("after the repair:")
        counts = look()
    click.echo(", ".join(f"{counts[state]} {state}" for state in sorted(counts, key=lambda state: state != "ok")))
    ctx.exit(0 if counts.total() == counts["ok"] else 1)
